-- A person's configuration without any plugin: the language server for everything below the project, and nothing else.
local here = vim.fs.dirname(debug.getinfo(1, "S").source:sub(2))
package.path = here .. "/?.lua;" .. package.path

local root = assert(vim.uv.fs_realpath(vim.env.STORY_ROOT))

vim.opt.swapfile = false
vim.opt.autoread = true
vim.opt.shortmess:append("A")
-- Its own virtual text is off by default since 0.11.
vim.diagnostic.config({ virtual_text = true })

vim.api.nvim_create_autocmd({ "BufReadPost", "BufNewFile" }, {
  pattern = root .. "/*",
  callback = function(event)
    vim.lsp.start({
      name = "specloom",
      cmd = vim.list_extend({ vim.env.STORY_SPECLOOM }, vim.split(vim.env.STORY_WORDS, " ")),
      root_dir = root,
      settings = {
        specloom = { models = { default = { model = "scripted-1", base_url = vim.env.STORY_MODEL } } },
      },
      on_exit = function(status)
        vim.g.server_status = status
      end,
    }, { bufnr = event.buf })
  end,
})

vim.api.nvim_create_autocmd({ "LspAttach", "BufEnter", "CursorHold", "InsertLeave" }, {
  callback = function(event)
    if vim.fn.has("nvim-0.12") == 1 then
      vim.lsp.codelens.enable(true, { bufnr = event.buf })
    elseif #vim.lsp.get_clients({ bufnr = event.buf, method = "textDocument/codeLens" }) > 0 then
      vim.lsp.codelens.refresh({ bufnr = event.buf })
    end
  end,
})
