-- Played by neovim_tasks.py in the folder of a project; tells when its tree has all rows as JSON in $BENCH_RESULT, and ends.
local began = vim.uv.hrtime()
local result = {}

local function mark(name)
  local used = vim.uv.getrusage()
  local cpu = (used.utime.sec + used.stime.sec) * 1000 + (used.utime.usec + used.stime.usec) / 1000
  result[name] = { ms = math.floor((vim.uv.hrtime() - began) / 1e6), cpu_ms = math.floor(cpu) }
end

vim.opt.runtimepath:prepend(vim.env.BENCH_ROOT .. "/clients/neovim")
vim.opt.swapfile = false
vim.g.specloom = { cmd = { vim.env.BENCH_SPECLOOM, "lsp" } }
vim.cmd.runtime("plugin/specloom.lua")
vim.cmd.edit("requirements.md")
require("specloom.client").known(vim.uv.cwd(), function(connection)
  mark("snapshot")
  local shown = require("specloom.tree").open(connection)
  result.rows = #shown.board.lines
  mark("rows")
end)
vim.wait(60000, function()
  return result.rows ~= nil
end, 5)
vim.fn.writefile({ vim.json.encode(result) }, vim.env.BENCH_RESULT)
vim.cmd.quitall({ bang = true })
