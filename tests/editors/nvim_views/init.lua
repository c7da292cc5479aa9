-- The plugin in a Neovim of its own, with the server and the model of the story.
local here = vim.fs.dirname(debug.getinfo(1, "S").source:sub(2))
vim.opt.runtimepath:prepend(vim.fs.normalize(here .. "/../../../clients/neovim"))

vim.opt.swapfile = false
vim.opt.shortmess:append("A")
vim.g.specloom = {
  cmd = vim.list_extend({ vim.env.STORY_SPECLOOM }, vim.split(vim.env.STORY_WORDS, " ")),
  settings = { models = { default = { model = "scripted-1", base_url = vim.env.STORY_MODEL } } },
}
