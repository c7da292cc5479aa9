--- `:checkhealth specloom`: what can be wrong, each with what to do. Refuses to change anything.
local M = {}

local health = vim.health

local function check_neovim()
  health.start("Specloom: Neovim")
  local version = "Neovim " .. tostring(vim.version())
  if vim.fn.has("nvim-0.10") == 1 then
    health.ok(version)
  else
    health.error(version .. " is too old", "Install 0.10 or newer")
  end
  if vim.g.loaded_specloom ~= true then
    health.error("plugin/specloom.lua was not loaded", "Put the plugin on 'runtimepath'; see :help specloom-install")
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
  local advice = "Specloom needs Python 3.11 or newer; install it again: pip install --force-reinstall specloom"
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
  check_neovim()
  local root, all = require("specloom.root"), require("specloom.client").all()
  local here = root.above(root.folder(0))
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
