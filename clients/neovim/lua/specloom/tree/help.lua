--- The keys of a window of ours, in a window above it. Refuses to stay: any way out of it closes it.
local M = {}

---Keys that stand beside each other and do the same share a line.
---@param keys { [1]: string, [2]: string }[]
---@return string[]
local function lines_of(keys)
  local groups, widest = {}, 0
  for _, key in ipairs(keys) do
    local last = groups[#groups]
    if last and last.what == key[2] then
      last.keys = last.keys .. " " .. key[1]
    else
      groups[#groups + 1] = { keys = key[1], what = key[2] }
    end
    widest = math.max(widest, #groups[#groups].keys)
  end
  return vim.tbl_map(function(group)
    return (" %-" .. widest .. "s  %s "):format(group.keys, group.what)
  end, groups)
end

---@param title string
---@param keys { [1]: string, [2]: string }[]
function M.show(title, keys)
  local lines = lines_of(keys)
  local width = math.max(unpack(vim.tbl_map(vim.fn.strdisplaywidth, lines)))
  local buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  vim.bo[buf].bufhidden, vim.bo[buf].modifiable = "wipe", false
  local window = vim.api.nvim_open_win(buf, true, {
    relative = "editor",
    style = "minimal",
    border = "rounded",
    title = (" %s "):format(title),
    width = math.min(width, vim.o.columns - 2),
    height = math.min(#lines, vim.o.lines - 4),
    row = math.max(0, math.floor((vim.o.lines - #lines) / 2) - 2),
    col = math.max(0, math.floor((vim.o.columns - width) / 2) - 1),
  })
  local function close()
    if vim.api.nvim_win_is_valid(window) then
      vim.api.nvim_win_close(window, true)
    end
  end
  for _, lhs in ipairs({ "q", "<Esc>", "<CR>", "?", "g?" }) do
    vim.keymap.set("n", lhs, close, { buffer = buf, nowait = true, desc = "Close" })
  end
  vim.api.nvim_create_autocmd("WinLeave", { buffer = buf, once = true, callback = vim.schedule_wrap(close) })
end

return M
