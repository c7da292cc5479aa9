--- Starts Specloom where a folder has work for it. Loads nothing until then.
if vim.g.loaded_specloom then
  return
end
vim.g.loaded_specloom = true

if vim.fn.has("nvim-0.10") == 0 then
  local message =
    "Specloom needs Neovim 0.10 or newer; this one is older. Update it, or use `specloom run` in a terminal"
  vim.api.nvim_echo({ { message, "WarningMsg" } }, true, {})
  return
end

vim.api.nvim_create_user_command("Specloom", function(call)
  require("specloom.command").run(call)
end, {
  nargs = "*",
  bang = true,
  desc = "Specloom: plan, run and steer; :Specloom help",
  complete = function(...)
    return require("specloom.command").complete(...)
  end,
})

-- No key is mapped; these are for a person's own: vim.keymap.set("n", "<Leader>st", "<Plug>(specloom-tree)")
local MAPPED = "plan run pause resume cancel retry skip unblock reset say approve tree output budget status"
for name in MAPPED:gmatch("%S+") do
  vim.api.nvim_set_keymap("n", ("<Plug>(specloom-%s)"):format(name), ("<Cmd>Specloom %s<CR>"):format(name), {})
end
vim.api.nvim_set_keymap("n", "<Plug>(specloom-run-here)", "<Cmd>Specloom run .<CR>", {})

local group = vim.api.nvim_create_augroup("specloom", {})
vim.api.nvim_create_autocmd("BufReadCmd", {
  group = group,
  pattern = "specloom://*",
  desc = "Fills a view of Specloom that a session or :edit reads",
  callback = function(event)
    require("specloom.page").read(event.buf)
  end,
})
vim.api.nvim_create_autocmd({ "BufReadPost", "BufNewFile", "BufFilePost", "VimEnter" }, {
  group = group,
  desc = "Starts Specloom in folders with requirements or specs",
  callback = function(event)
    if vim.bo[event.buf].buftype == "" and require("specloom.root").of(event.buf) then
      require("specloom.server").auto(event.buf)
    end
  end,
})
