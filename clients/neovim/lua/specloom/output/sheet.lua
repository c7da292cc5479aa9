--- An agent's blocks in a buffer: rows that changed are written, windows at the end follow it, all others stay.
--- Refuses to fold events.
local paint = require("specloom.tree.paint")

local M = {}

---@class specloom.Sheet
---@field buf integer
---@field rows specloom.Row[] as in the buffer, but for the note and the tail
---@field note string the first line, where old rows were given up
---@field tail specloom.Row[] after all blocks
local Sheet = {}
Sheet.__index = Sheet

---@param buf integer
---@return specloom.Sheet
function M.new(buf)
  return setmetatable({ buf = buf, rows = {}, tail = {} }, Sheet)
end

---Replaces `count` items from `first` on.
local function splice(list, first, count, items)
  local shift = #items - count
  if shift ~= 0 then
    local length = #list
    table.move(list, first + count, length, first + count + shift)
    for index = length + shift + 1, length do
      list[index] = nil
    end
  end
  table.move(items, 1, #items, first, list)
end

---@param first integer row from 1
---@param count integer rows to replace
---@param rows specloom.Row[]
function Sheet:write(first, count, rows)
  if count == 0 and #rows == 0 then
    return
  end
  local texts, spans = {}, {}
  for index, row in ipairs(rows) do
    texts[index], spans[index] = row.text, row.spans
  end
  -- Levels and highlights are asked for while the lines are written.
  splice(self.rows, first, count, rows)
  splice(paint.rows(self.buf), first, count, spans)
  paint.write(self.buf, first - 1, first - 1 + count, texts)
end

---Writes what changed in the blocks, from the first that did.
---@param stream specloom.Stream
function Sheet:blocks(stream)
  local first, row = #stream.blocks + 1, #self.rows - #self.tail
  for index = #stream.blocks, 1, -1 do
    local item = stream.blocks[index]
    if item.drawn ~= #item.rows or item.from <= #item.rows then
      first = index
    end
  end
  for index = #stream.blocks, first, -1 do
    row = row - stream.blocks[index].drawn
  end
  for index = first, #stream.blocks do
    local item = stream.blocks[index]
    local from = math.min(item.from, item.drawn + 1)
    if item.drawn ~= #item.rows or item.from <= #item.rows then
      self:write(row + from, item.drawn - from + 1, vim.list_slice(item.rows, from))
    end
    item.drawn, item.from = #item.rows, math.huge
    row = row + item.drawn
  end
end

---Takes what was given up away at the start, and says so there.
---@param stream specloom.Stream
---@param note specloom.Row? to stand on the first line
function Sheet:start(stream, note)
  local noted = self.noted and 1 or 0
  if stream.gone > 0 or (note and note.text) ~= self.noted then
    self:write(1, noted + stream.gone, note and { note } or {})
    stream.gone, self.noted = 0, note and note.text or nil
  end
end

local function same(one, other)
  return #one == #other
    and vim.iter(ipairs(one)):all(function(index, row)
      return row.text == other[index].text
    end)
end

---@param tail specloom.Row[]
function Sheet:finish(tail)
  if not same(tail, self.tail) then
    local first = #self.rows - #self.tail + 1
    self:write(first, #self.tail, tail)
    self.tail = tail
  end
end

---Draws, and keeps windows whose cursor is on the last line there.
---@param stream specloom.Stream
---@param note specloom.Row?
---@param tail specloom.Row[]
function Sheet:draw(stream, note, tail)
  local last = vim.api.nvim_buf_line_count(self.buf)
  local following = vim.tbl_filter(function(window)
    return vim.api.nvim_win_get_cursor(window)[1] >= last
  end, vim.fn.win_findbuf(self.buf))
  self:start(stream, note)
  self:blocks(stream)
  self:finish(tail)
  if #self.rows > 0 and vim.api.nvim_buf_line_count(self.buf) > #self.rows then
    -- The empty line of a new buffer.
    paint.write(self.buf, #self.rows, -1, {})
  end
  last = vim.api.nvim_buf_line_count(self.buf)
  for _, window in ipairs(following) do
    vim.api.nvim_win_set_cursor(window, { last, 0 })
    vim.api.nvim_win_call(window, function()
      vim.cmd("normal! zb")
    end)
  end
end

---Forgets everything: what follows is of another log.
function Sheet:clear()
  self:write(1, #self.rows, {})
  self.tail, self.noted = {}, nil
end

return M
