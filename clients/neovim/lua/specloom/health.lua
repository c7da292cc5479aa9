--- `:checkhealth specloom`: what can be wrong, each with what to do. Refuses to change anything.
local M = {}

local health = vim.health

local function check_neovim()
  health.start("Specloom: Neovim")
  health.ok("Neovim " .. tostring(vim.version()))
  if vim.g.loaded_specloom ~= true then
    health.error("plugin/specloom.lua was not loaded", "Put the plugin on 'runtimepath'; see :help specloom-install")
  end
  local places = vim.api.nvim_get_runtime_file("lua/specloom/init.lua", true)
  if #places > 1 then
    health.warn("the plugin is on 'runtimepath' more than once: " .. table.concat(places, ", "), "Remove all but one")
  end
  local config = require("specloom.config")
  config.get()
  vim.tbl_map(health.error, config.problems)
  if #config.problems == 0 then
    health.ok("vim.g.specloom and setup() say nothing that is wrong")
  end
  if not vim.o.autoread then
    health.warn("'autoread' is off: files that the agent's commands change stay old in buffers", ":set autoread")
  end
end

---@param command string[]
local function check_program(command)
  local ran = vim.system({ command[1], "--version" }, { text = true, timeout = 10000 }):wait()
  if ran.code == 0 then
    return health.ok(("%s answers: %s"):format(command[1], vim.trim(ran.stdout)))
  end
  local said = vim.trim((ran.stderr or "") .. (ran.stdout or ""))
  local advice = "Specloom needs Python 3.11 or newer; install it again: pipx install --force . in its checkout"
  health.error(("%s does not run (status %d): %s"):format(command[1], ran.code, said:sub(-300)), advice)
end

---@param root string
local function check_server(root)
  health.start("Specloom: server for " .. vim.fn.fnamemodify(root, ":~"))
  local server = require("specloom.server")
  for _, candidate in ipairs(require("specloom.config").get().cmd and {} or server.candidates(root)) do
    local there = vim.fn.executable(candidate[2]) == 1
    local path = candidate[2] ~= "" and candidate[2] or "nothing"
    health.info(("%s: %s%s"):format(candidate[1], path, there and "" or " (not there)"))
  end
  local command, why = server.command(root)
  if not command then
    health.error(why)
  elseif type(command) == "table" then
    health.ok("used: " .. table.concat(command, " "))
    check_program(command)
  end
end

---@param connection specloom.Connection
local function check_connection(connection)
  health.start("Specloom: project " .. vim.fn.fnamemodify(connection.root, ":~"))
  if connection.state == "live" then
    health.ok(("connected, at event %d"):format(connection.seq))
  else
    local log = "The server's own words are in " .. vim.lsp.log.get_filename()
    health.error(("not connected (%s): %s"):format(connection.state, connection.reason), { ":Specloom restart", log })
  end
  local found, p = connection.health, connection.projection
  if found and found.status ~= "ok" then
    health[found.status == "error" and "error" or "warn"](found.message)
  elseif found then
    health.ok("the server is well")
  end
  if p and p.readOnly then
    health.warn("another process works on this project; orders are refused until it ends")
  end
end

function M.check()
  if vim.fn.has("nvim-0.10") == 0 then
    -- Its own functions had other names then.
    local old = health or require("health")
    old.report_start("Specloom")
    return old.report_error("Specloom needs Neovim 0.10 or newer; this one is older", { "Update Neovim" })
  end
  check_neovim()
  local root, all = require("specloom.root"), require("specloom.client").all()
  -- The current buffer is that of the check by now.
  local asked_in = vim.fn.bufnr("#")
  local here = root.above(root.folder(asked_in > 0 and asked_in or 0))
  if here then
    check_server(here)
    if not root.has_work(here) then
      health.info("No requirements or specs here, so nothing was started; write requirements.md, then :Specloom plan")
    end
  elseif #all == 0 then
    health.info("No project: there is no requirements.md, specs/, .kiro/, .specify/ or specloom.toml above this file")
  end
  vim.tbl_map(check_connection, all)
end

return M
