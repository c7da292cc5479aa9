-- A person's configuration with the plugin, as a plain 'runtimepath' has it, and what only the machine of a test needs.
local here = vim.fs.dirname(debug.getinfo(1, "S").source:sub(2))
vim.opt.runtimepath:prepend(vim.fs.normalize(here .. "/../../../clients/neovim"))

vim.opt.shortmess:append("I")
vim.opt.swapfile = false
vim.g.specloom = {
  cmd = vim.list_extend({ vim.env.STORY_SPECLOOM }, vim.split(vim.env.STORY_WORDS, " ")),
  settings = { models = { default = { model = "scripted-1", base_url = vim.env.STORY_MODEL } } },
}
