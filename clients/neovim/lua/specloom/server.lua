--- Finds the server of a root, starts it once, and starts it again when it was lost. Refuses to install anything.
local client = require("specloom.client")

local M = {}

-- A server that is lost again and again is not helped by another start.
local TRIES, WITHIN_MS = 4, 60000
local PAUSE_MS = 400

---@class specloom.Serving
---@field id integer? of the client that runs or starts
---@field lost integer[] times of starts after a loss
---@field ending? "stop"|"restart" what a person ended it for; it is not started by itself then
---@field told string? why there is no server, as it was told

---@type table<string, specloom.Serving> by root
local serving = vim.defaulttable(function()
  return { lost = {} }
end)

--- Where the server is looked for, the first that is a program counts.
---@param root string
---@return { [1]: string, [2]: string }[] the place in words, and the path
function M.candidates(root)
  return {
    { "$VIRTUAL_ENV", vim.env.VIRTUAL_ENV and vim.env.VIRTUAL_ENV .. "/bin/specloom" or "" },
    { ".venv of the project", root .. "/.venv/bin/specloom" },
    { "$PATH", vim.fn.exepath("specloom") },
    -- Where pipx and uv put commands: a shell that was started before knows it only after the next login.
    { "~/.local/bin", vim.fs.normalize("~/.local/bin/specloom") },
  }
end

local MISSING = "Specloom: no server: pipx install . in its checkout (or uv tool install .), or name it: "
  .. 'vim.g.specloom = { cmd = { "/path/to/specloom", "lsp" } }; looked in $VIRTUAL_ENV, .venv, $PATH and ~/.local/bin'

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
      local form =
        "Specloom: %s is no program that can be run; mend cmd in vim.g.specloom or vim.lsp.config, or leave it out"
      return nil, form:format(own[1])
    end
    return own, --[[@as string[] ]]
      ""
  end
  for _, candidate in ipairs(M.candidates(root)) do
    if vim.fn.executable(candidate[2]) == 1 then
      return { candidate[2], "lsp" }, ""
    end
  end
  return nil, MISSING
end

---@param root string
---@param client_id integer
---@param code integer
local function ended(root, client_id, code)
  local at = serving[root]
  at.id = nil
  if vim.v.exiting ~= vim.NIL then
    return
  elseif at.ending or code == 0 then
    client.detach(client_id, "the server was stopped; :Specloom start starts it again")
    return at.ending == "restart" and M.start(root)
  end
  local now = vim.uv.now()
  at.lost = vim.tbl_filter(function(time)
    return now - time < WITHIN_MS
  end, at.lost)
  if #at.lost >= TRIES then
    local why = ("the server ended again and again (status %d); :checkhealth specloom looks for the cause"):format(code)
    client.detach(client_id, why)
    return require("specloom.tell").error(why)
  end
  table.insert(at.lost, now)
  client.detach(client_id, "the server was lost and is started again")
  vim.defer_fn(function()
    if not at.ending then
      M.start(root)
    end
  end, PAUSE_MS * #at.lost * #at.lost)
end

---@param root string
---@param command string[]|function
---@return vim.lsp.ClientConfig
local function lsp_config(root, command)
  local configured = vim.fn.has("nvim-0.11") == 1 and vim.deepcopy(vim.lsp.config.specloom) or {}
  local settings, status = require("specloom.config").get().settings, 0
  -- Its status is kept for the plugin: Neovim would put a "Press ENTER" before whoever types.
  local function start(dispatchers, config)
    local exit = dispatchers.on_exit
    dispatchers.on_exit = function(code, signal)
      status = code ~= 0 and code or signal
      exit(0, 0)
    end
    local is_own = type(command) == "function"
    return is_own and command(dispatchers, config) or vim.lsp.rpc.start(command, dispatchers, { cwd = root })
  end
  local function on_exit(_, _, client_id)
    vim.schedule(function()
      ended(root, client_id, status)
    end)
  end
  local ours = {
    name = "specloom",
    cmd = start,
    root_dir = root,
    capabilities = { experimental = { specloom = { documentSave = true, approvals = true } } },
    settings = { specloom = vim.tbl_isempty(settings) and vim.empty_dict() or settings },
    handlers = vim.tbl_extend("force", client.HANDLERS, require("specloom.documents").HANDLERS),
    on_init = vim.iter({ client.attach, configured.on_init or {} }):flatten():totable(),
    on_exit = vim.iter({ on_exit, configured.on_exit or {} }):flatten():totable(),
  }
  -- 0.10 sends the capabilities that it is given, and nothing else.
  local base = { capabilities = vim.lsp.protocol.make_client_capabilities() }
  return vim.tbl_deep_extend("force", base, configured, ours)
end

local begun = false

---@param config vim.lsp.ClientConfig
---@return integer?
local function launched(config)
  if not begun then
    begun = true
    for _, part in ipairs({ "documents", "status", "approvals" }) do
      require("specloom." .. part).begin()
    end
  end
  if vim.fn.has("nvim-0.11") == 1 then
    return vim.lsp.start(config, { attach = false })
  end
  local id, why = vim.lsp.start_client(config) ---@diagnostic disable-line: deprecated
  if not id then
    require("specloom.tell").error(tostring(why))
  end
  return id
end

---@param buf integer
---@return boolean
local function is_file(buf)
  return vim.api.nvim_buf_is_loaded(buf) and vim.bo[buf].buftype == "" and vim.api.nvim_buf_get_name(buf) ~= ""
end

--- Starts the server of a root unless it runs, and hands it the files of that root that are open.
---@param root string
---@param quiet? boolean what was told before is not told again
---@return boolean whether it runs or starts
function M.start(root, quiet)
  local at = serving[root]
  if at.id and at.ending then
    at.ending = "restart"
    return true
  end
  at.ending = nil
  if not at.id then
    local command, why = M.command(root)
    if not command then
      if not (quiet and at.told == why) then
        at.told = why
        require("specloom.tell").error(why)
      end
      return false
    end
    at.id, at.told = launched(lsp_config(root, command)), nil
    for _, buf in ipairs(at.id and vim.api.nvim_list_bufs() or {}) do
      if is_file(buf) and require("specloom.root").of(buf) == root then
        vim.lsp.buf_attach_client(buf, at.id)
      end
    end
  end
  return at.id ~= nil
end

--- Has a file that was opened served by itself, where its folder has work for it.
---@param buf integer
---@param enabled? boolean by vim.lsp.enable(); else the option `autostart` decides
function M.auto(buf, enabled)
  local root = require("specloom.root").of(buf)
  local at = root and serving[root]
  if not at or at.ending then
    return
  elseif at.id and is_file(buf) then
    vim.lsp.buf_attach_client(buf, at.id)
  elseif enabled or require("specloom.config").get().autostart then
    M.start(root, true)
  end
end

---@param root string
---@param what "stop"|"restart"
---@return boolean whether it ran
local function finish(root, what)
  local at = serving[root]
  local found = at.id and vim.lsp.get_client_by_id(at.id)
  at.ending = (found or what == "stop") and what or nil
  if found then
    client.call(found, "stop")
  end
  return found ~= nil
end

--- Ends the server of a root in this Neovim; the daemon and its runs go on.
---@param root string
function M.stop(root)
  finish(root, "stop")
end

--- Ends it and starts it again; asked for twice it happens once.
---@param root string
function M.restart(root)
  serving[root].lost = {}
  if not finish(root, "restart") then
    M.start(root)
  end
end

return M
