--- For `vim.lsp.enable("specloom")` and `vim.lsp.config("specloom", {…})` of Neovim 0.11 and newer.
---@type vim.lsp.Config
return {
  cmd = { "specloom", "lsp" },
  -- Which program serves a root depends on the root: the plugin starts it, with all that is configured here.
  root_dir = function(buf)
    require("specloom.server").auto(buf, true)
  end,
}
