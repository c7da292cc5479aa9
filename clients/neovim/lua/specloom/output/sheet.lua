--- Blocks in a buffer: rows that changed are written, windows at the end follow it, all others stay.
--- Refuses to fold events.
local paint = require("specloom.tree.paint")

local M = {}

---@class specloom.Sheet
---@field buf integer
---@field rows specloom.Row[] as in the buffer
local Sheet = {}
Sheet.__index = Sheet

---@param buf integer
---@return specloom.Sheet
function M.new(buf)
  return setmetatable({ buf = buf, rows = paint.rows(buf) }, Sheet)
end

---@param first integer row from 1
---@param count integer rows to replace
---@param rows specloom.Row[]
function Sheet:write(first, count, rows)
  if count == 0 and #rows == 0 then
    return
  end
  local texts = vim.tbl_map(function(row)
    return row.text
  end, rows)
  local length, shift = #self.rows, #rows - count
  -- Levels and highlights are asked for while the lines are written.
  table.move(self.rows, first + count, length, first + count + shift)
  for index = length + shift + 1, length do
    self.rows[index] = nil
  end
  table.move(rows, 1, #rows, first, self.rows)
  paint.write(self.buf, first - 1, first - 1 + count, texts)
end

---Whether somebody selects or searches there.
local function is_held(window)
  return window == vim.api.nvim_get_current_win() and not vim.list_contains({ "n", "i", "t" }, vim.fn.mode())
end

---Draws, and keeps windows whose cursor is on the last line there.
---@param blocks specloom.Block[]
---@param gone integer rows behind the first block that were given up
function Sheet:draw(blocks, gone)
  local last = vim.api.nvim_buf_line_count(self.buf)
  local following = vim.tbl_filter(function(window)
    return vim.api.nvim_win_get_cursor(window)[1] >= last and not is_held(window)
  end, vim.fn.win_findbuf(self.buf))
  self:write(blocks[1].drawn + 1, gone, {})
  local row = 0
  for _, item in ipairs(blocks) do
    local from = math.min(item.from, item.drawn + 1)
    if item.drawn ~= #item.rows or item.from <= #item.rows then
      self:write(row + from, item.drawn - from + 1, vim.list_slice(item.rows, from))
    end
    item.drawn, item.from = #item.rows, math.huge
    row = row + item.drawn
  end
  if row > 0 and vim.api.nvim_buf_line_count(self.buf) > row then
    -- The empty line of a new buffer.
    paint.write(self.buf, row, -1, {})
  end
  for _, window in ipairs(following) do
    vim.api.nvim_win_set_cursor(window, { vim.api.nvim_buf_line_count(self.buf), 0 })
    vim.api.nvim_win_call(window, function()
      vim.cmd("normal! zb")
    end)
  end
end

---Forgets everything: what follows is of another log.
function Sheet:clear()
  self:write(1, #self.rows, {})
end

return M
