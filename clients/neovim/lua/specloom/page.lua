--- A window with a text that is read and closed: `q` closes it, the same name reuses it. Refuses changes.
local M = {}

---@param name string
---@param lines string[]
---@param filetype? string
---@return integer buf
function M.show(name, lines, filetype)
  local full = "specloom://" .. name
  local buf = vim.fn.bufnr("^" .. full .. "$")
  if buf == -1 then
    buf = vim.api.nvim_create_buf(false, true)
    vim.api.nvim_buf_set_name(buf, full)
    vim.bo[buf].bufhidden, vim.bo[buf].filetype = "wipe", filetype or "markdown"
    vim.keymap.set("n", "q", "<Cmd>close<CR>", { buffer = buf, nowait = true, desc = "Close" })
  end
  vim.bo[buf].modifiable = true
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  vim.bo[buf].modifiable, vim.bo[buf].modified = false, false
  if vim.fn.bufwinid(buf) == -1 then
    vim.cmd(("botright %dsplit"):format(math.min(#lines + 1, math.floor(vim.o.lines / 2))))
    vim.api.nvim_win_set_buf(0, buf)
  end
  return buf
end

return M
