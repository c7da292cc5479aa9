--- `:checkhealth specloom`: what can be wrong, each with what to do. Refuses to change anything.
local M = {}

local health = vim.health

local function check_neovim()
  health.start("Specloom: Neovim")
  local version = tostring(vim.version())
  if vim.fn.has("nvim-0.10") == 1 then
    health.ok("Neovim " .. version)
  else
    health.error("Neovim " .. version .. " is too old", { "Install 0.10 or newer" })
  end
  if vim.g.loaded_specloom ~= true then
    health.error(
      "plugin/specloom.lua was not loaded",
      { "Put the plugin on 'runtimepath'; see :help specloom-install" }
    )
  end
end

local function check_options()
  health.start("Specloom: options")
  local config = require("specloom.config")
  config.get()
  for _, problem in ipairs(config.problems) do
    health.error(problem)
  end
  if #config.problems == 0 then
    health.ok("vim.g.specloom and setup() say nothing that is wrong")
  end
  if not vim.o.autoread then
    health.warn(
      "'autoread' is off: files that the agent's commands change stay old in open buffers",
      { ":set autoread" }
    )
  end
end

---@param command string[]
local function check_program(command)
  local ran = vim.system({ command[1], "--version" }, { text = true, timeout = 10000 }):wait()
  if ran.code == 0 then
    return health.ok(("%s answers: %s"):format(command[1], vim.trim(ran.stdout)))
  end
  local said = vim.trim((ran.stderr or "") .. (ran.stdout or ""))
  health.error(("%s does not run (status %d): %s"):format(command[1], ran.code, said:sub(-300)), {
    "Specloom needs Python 3.11 or newer; install it again: pip install --force-reinstall specloom",
  })
end

---@param root string
local function check_server(root)
  health.start("Specloom: server for " .. vim.fn.fnamemodify(root, ":~"))
  local server = require("specloom.server")
  for _, candidate in ipairs(require("specloom.config").get().cmd and {} or server.candidates(root)) do
    local path = candidate.path ~= "" and candidate.path or "nothing"
    health.info(("%s: %s%s"):format(candidate.where, path, candidate.found and "" or " (not there)"))
  end
  local command, why = server.command(root)
  if not command then
    return health.error(why)
  end
  if type(command) == "table" then
    health.ok("used: " .. table.concat(command, " "))
    check_program(command)
  end
end

---@param connection specloom.Connection
local function check_connection(connection)
  health.start("Specloom: project " .. vim.fn.fnamemodify(connection.root, ":~"))
  if connection.state ~= "live" then
    health.error(("not connected (%s): %s"):format(connection.state, connection.reason), {
      ":Specloom restart",
      "The server's own words are in " .. vim.lsp.log.get_filename(),
    })
  else
    health.ok(("connected, at event %d"):format(connection.seq))
  end
  local found = connection.health
  if found and found.status ~= "ok" then
    health[found.status == "error" and "error" or "warn"](found.message)
  elseif found then
    health.ok("the server is well")
  end
  local p = connection.projection
  if p and p.readOnly then
    health.warn("another process works on this project; orders are refused until it ends")
  end
end

function M.check()
  check_neovim()
  check_options()
  local root = require("specloom.root")
  local name = vim.api.nvim_buf_get_name(0)
  local here = root.above(name ~= "" and vim.bo.buftype == "" and vim.fs.dirname(name) or vim.uv.cwd() or "/")
  local all = require("specloom.client").all()
  if here then
    check_server(here)
    if not root.has_work(here) then
      health.info("No requirements or specs here, so nothing was started; write requirements.md, then :Specloom plan")
    end
  elseif #all == 0 then
    health.info(
      "No project here: there is no requirements.md, specs/, .kiro/, .specify/ or specloom.toml above this file"
    )
  end
  for _, connection in ipairs(all) do
    check_connection(connection)
  end
end

return M
