--- Finds the server of a root, starts it once, and starts it again when it was lost. Refuses to install anything.
local client = require("specloom.client")

local M = {}

---@class specloom.Candidate
---@field where string for people
---@field path string
---@field found boolean

-- A server that is lost again and again is not helped by another start.
local TRIES, WITHIN_MS = 4, 60000
local PAUSE_MS = 400

---@type table<string, integer[]> times of starts after a loss, by root
local lost = {}
---@type table<integer, true> clients that are meant to end
local ending = {}
---@type table<string, true> roots whose server ends in order to start again
local restarting = {}
---@type table<string, true> roots whose server a person ended
local stopped = {}
---@type table<string, integer> ids of clients that run or start, by root
local serving = {}
---@type table<string, integer[]> buffers that wait for the next start, by root
local waiting = {}
---@type table<string, string> why there is no server, as it was told, by root
local told = {}

--- Where the server is looked for, the first that is found counts.
---@param root string
---@return specloom.Candidate[]
function M.candidates(root)
  local environment = vim.env.VIRTUAL_ENV
  local places = {
    { "$VIRTUAL_ENV", environment and environment .. "/bin/specloom" or "" },
    { ".venv of the project", root .. "/.venv/bin/specloom" },
    { "$PATH", vim.fn.exepath("specloom") },
  }
  return vim.tbl_map(function(place)
    return { where = place[1], path = place[2], found = place[2] ~= "" and vim.fn.executable(place[2]) == 1 }
  end, places)
end

local MISSING = "Specloom: no server: pip install specloom (or uv tool install specloom), or name it: "
  .. 'vim.g.specloom = { cmd = { "/path/to/specloom", "lsp" } }; looked in $VIRTUAL_ENV, .venv and $PATH'

--- The command line of the server; nil with what is missing and what to do.
---@param root string
---@return string[]? command
---@return string why
function M.command(root)
  local own = require("specloom.config").get().cmd
  -- What vim.lsp.config() says counts too, unless it is the default of lsp/specloom.lua.
  local configured = vim.fn.has("nvim-0.11") == 1 and vim.lsp.config.specloom or nil
  if not own and configured and configured.cmd ~= configured.found_cmd then
    own = configured.cmd
  end
  if own then
    if type(own) == "table" and vim.fn.executable(own[1]) == 0 then
      local form = "Specloom: %s is no program that can be run; mend cmd in vim.g.specloom, or leave it out"
      return nil, form:format(own[1])
    end
    return own, --[[@as string[] ]]
      ""
  end
  for _, candidate in ipairs(M.candidates(root)) do
    if candidate.found then
      return { candidate.path, "lsp" }, ""
    end
  end
  return nil, MISSING
end

---@param root string
---@param client_id integer
---@param code integer
---@param buffers integer[]
local function ended(root, client_id, code, buffers)
  local meant = ending[client_id]
  ending[client_id] = nil
  if serving[root] == client_id then
    serving[root] = nil
  end
  waiting[root] = vim.list_extend(waiting[root] or {}, buffers)
  if vim.v.exiting ~= vim.NIL then
    return
  end
  if meant or code == 0 then
    client.detach(client_id, "the server was stopped; :Specloom start starts it again")
    if restarting[root] then
      restarting[root] = nil
      M.start(root)
    end
    return
  end
  local now = vim.uv.now()
  lost[root] = vim.tbl_filter(function(at)
    return now - at < WITHIN_MS
  end, lost[root] or {})
  if #lost[root] >= TRIES then
    local why = ("the server ended again and again (status %d); :checkhealth specloom looks for the cause"):format(code)
    client.detach(client_id, why)
    return require("specloom.tell").error(why)
  end
  table.insert(lost[root], now)
  client.detach(client_id, "the server was lost and is started again")
  vim.defer_fn(function()
    M.start(root)
  end, PAUSE_MS * #lost[root] * #lost[root])
end

--- Starts the program, and keeps its status for the plugin: Neovim would put a "Press ENTER" before whoever types.
---@param root string
---@param command string[]|function
---@return fun(dispatchers: vim.lsp.rpc.Dispatchers, config: vim.lsp.ClientConfig): vim.lsp.rpc.PublicClient
---@return fun(): integer status
local function program(root, command)
  local status = 0
  return function(dispatchers, config)
    local exit = dispatchers.on_exit
    dispatchers.on_exit = function(code, signal)
      status = code ~= 0 and code or signal
      exit(0, 0)
    end
    if type(command) == "function" then
      return command(dispatchers, config)
    end
    return vim.lsp.rpc.start(command, dispatchers, { cwd = root })
  end, function()
    return status
  end
end

---@param root string
---@param command string[]|function
---@return vim.lsp.ClientConfig
local function lsp_config(root, command)
  local configured = vim.fn.has("nvim-0.11") == 1 and vim.deepcopy(vim.lsp.config.specloom) or {}
  local settings = require("specloom.config").get().settings
  local start, status = program(root, command)
  local ours = {
    name = "specloom",
    cmd = start,
    root_dir = root,
    capabilities = { experimental = { specloom = { documentSave = true, approvals = true } } },
    settings = { specloom = vim.tbl_isempty(settings) and vim.empty_dict() or settings },
    handlers = vim.tbl_extend("force", client.handlers(), require("specloom.documents").handlers()),
  }
  -- 0.10 sends the capabilities that it is given, and nothing else.
  local base = { capabilities = vim.lsp.protocol.make_client_capabilities() }
  local config = vim.tbl_deep_extend("force", base, configured, ours)
  local on_init, on_exit = configured.on_init, configured.on_exit
  config.on_init = vim.list_extend({ client.attach }, type(on_init) == "table" and on_init or { on_init })
  config.on_exit = vim.list_extend({
    function(_, _, client_id)
      local found = vim.lsp.get_client_by_id(client_id)
      local buffers = found and vim.tbl_keys(found.attached_buffers) or {}
      vim.schedule(function()
        ended(root, client_id, status(), buffers)
      end)
    end,
  }, type(on_exit) == "table" and on_exit or { on_exit })
  return config
end

---@param config vim.lsp.ClientConfig
---@return integer?
local function launched(config)
  if vim.fn.has("nvim-0.11") == 1 then
    return vim.lsp.start(config, { attach = false })
  end
  local id, why = vim.lsp.start_client(config) ---@diagnostic disable-line: deprecated
  if not id then
    require("specloom.tell").error(tostring(why))
  end
  return id
end

--- Has the files of a root that are open already wait for its server.
---@param root string
local function gather(root)
  waiting[root] = waiting[root] or {}
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    local is_file = vim.bo[buf].buftype == "" and vim.api.nvim_buf_get_name(buf) ~= ""
    if is_file and vim.api.nvim_buf_is_loaded(buf) and require("specloom.root").of(buf) == root then
      table.insert(waiting[root], buf)
    end
  end
end

--- Starts the server of a root unless it runs, and hands it the buffers that wait.
---@param root string
---@return boolean whether it runs or starts
function M.start(root)
  local id = serving[root]
  stopped[root] = nil
  if not id then
    local command, why = M.command(root)
    if not command then
      if told[root] ~= why then
        told[root] = why
        require("specloom.tell").error(why)
      end
      return false
    end
    told[root] = nil
    require("specloom.watch").begin()
    id = launched(lsp_config(root, command))
    if not id then
      return false
    end
    serving[root] = id
    gather(root)
  end
  for _, buf in ipairs(waiting[root] or {}) do
    if vim.api.nvim_buf_is_loaded(buf) then
      vim.lsp.buf_attach_client(buf, id)
    end
  end
  waiting[root] = nil
  return true
end

--- Has a file that was opened served by itself, where its folder has work for it.
---@param buf integer
---@param enabled? boolean by vim.lsp.enable(); else the option `autostart` decides
function M.auto(buf, enabled)
  local root = require("specloom.root").of(buf)
  local wanted = root and (enabled or serving[root] or require("specloom.config").get().autostart)
  if not root or not wanted or stopped[root] then
    return
  end
  if vim.bo[buf].buftype == "" and vim.api.nvim_buf_get_name(buf) ~= "" then
    waiting[root] = waiting[root] or {}
    table.insert(waiting[root], buf)
  end
  if not ending[serving[root]] then
    M.start(root)
  end
end

--- Ends the server of a root in this Neovim; the daemon and its runs go on.
---@param root string
---@return boolean whether it ran
function M.stop(root)
  local id = serving[root]
  local found = id and vim.lsp.get_client_by_id(id)
  if not id or not found then
    return false
  end
  ending[id], stopped[root] = true, true
  client.call(found, "stop")
  return true
end

--- Ends it and starts it again; asked for twice it happens once.
---@param root string
function M.restart(root)
  lost[root], told[root] = nil, nil
  if not M.stop(root) then
    M.start(root)
    return
  end
  restarting[root] = true
end

return M
