--- For `vim.lsp.enable("specloom")` and `vim.lsp.config("specloom", {…})` of Neovim 0.11 and newer.

--- Which program serves a root depends on the root.
---@param dispatchers vim.lsp.rpc.Dispatchers
---@param config? vim.lsp.ClientConfig
local function find(dispatchers, config)
  local root = config and config.root_dir or vim.uv.cwd() --[[@as string]]
  local command, why = require("specloom.server").command(root)
  return vim.lsp.rpc.start(command or error(why, 0), dispatchers, { cwd = root })
end

---@type vim.lsp.Config
return {
  cmd = find,
  -- By this the plugin sees whether somebody configured another `cmd`.
  found_cmd = find,
  -- The plugin starts it by itself, with all that is configured here.
  root_dir = function(buf)
    require("specloom.server").auto(buf, true)
  end,
}
