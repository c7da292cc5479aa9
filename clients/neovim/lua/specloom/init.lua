--- Specloom for Neovim: what a configuration may call. Everything else is `:Specloom`.
local M = {}

--- Sets options; the plugin works without this call. The same as `vim.g.specloom = opts` before it starts.
---@param opts? table see :help specloom-options
function M.setup(opts)
  require("specloom.config").setup(opts)
end

--- What goes on in the project of a buffer, for a statusline: `%{v:lua.require'specloom'.statusline()}`.
---@param buf? integer
---@return string empty where Specloom has nothing to do
function M.statusline(buf)
  -- Before anything was started there is nothing to tell, and nothing is loaded for that.
  return package.loaded["specloom.status"] and require("specloom.status").component(buf) or ""
end

return M
