--- The tree in its buffer: what changed is written, the rest stays, and every cursor stays on its node.
--- Refuses keys and orders.
local paint = require("specloom.tree.paint")
local render = require("specloom.tree.render")

local M = {}

---@class specloom.Board
---@field buf integer
---@field view specloom.View
---@field nodes specloom.Node[]
---@field lines string[]
---@field row table<string, integer> by node id, from 1
---@field others integer[] rows of neither tasks nor specs
---@field kept table<string, { text: string, spans: specloom.Span[] }> lines of tasks and specs that hold, by node id
local Board = {}
Board.__index = Board

---@param buf integer
---@param view specloom.View
---@return specloom.Board
function M.new(buf, view)
  return setmetatable({ buf = buf, view = view, nodes = {}, lines = {}, row = {}, others = {}, kept = {} }, Board)
end

-- All others are few, and read otherwise at any time.
local LASTING = { task = true, spec = true }

---@param p specloom.Projection
---@param node specloom.Node
---@return { text: string, spans: specloom.Span[] }
function Board:line(p, node)
  local line = self.kept[node.id]
  if not line then
    line = {}
    line.text, line.spans = render.line(p, node, self.view)
    self.kept[node.id] = LASTING[node.kind] and line or nil
  end
  return line
end

---Where each window looks, in terms of nodes.
function Board:places()
  return vim.tbl_map(function(window)
    local view = vim.api.nvim_win_call(window, vim.fn.winsaveview)
    return { window = window, view = view, node = self.nodes[view.lnum] }
  end, vim.fn.win_findbuf(self.buf))
end

---Brings each window back to its node; where that is gone, to the line where it was.
function Board:restore(places)
  for _, place in ipairs(places) do
    local row = place.node and self.row[place.node.id] or math.min(place.view.lnum, #self.lines)
    -- Who looks at the start sees what comes there; all others see what they saw.
    if place.view.topline > 1 then
      place.view.topline = math.max(1, place.view.topline + row - place.view.lnum)
    end
    place.view.lnum = math.max(1, row)
    vim.api.nvim_win_call(place.window, function()
      vim.fn.winrestview(place.view)
    end)
  end
end

---How many lines at the start, and at the end, are the same.
local function ends(old, new)
  local first, last = 0, 0
  local most = math.min(#old, #new)
  while first < most and old[first + 1] == new[first + 1] do
    first = first + 1
  end
  while last < most - first and old[#old - last] == new[#new - last] do
    last = last + 1
  end
  return first, last
end

---Writes the whole where it differs; to be called when lines came or went.
---@param p specloom.Projection
function Board:reshape(p)
  local places = self:places()
  local nodes, lines, row = render.nodes(p, self.view), {}, {}
  local painted, others = paint.rows(self.buf), {}
  for index, node in ipairs(nodes) do
    painted[index], row[node.id] = self:line(p, node), index
    lines[index] = painted[index].text
    others[#others + 1] = not LASTING[node.kind] and index or nil
  end
  for index = #nodes + 1, #self.nodes do
    painted[index] = nil
  end
  local first, last = ends(self.lines, lines)
  local changed = first + last < math.max(#lines, #self.lines)
  self.nodes, self.row, self.others = nodes, row, others
  if changed then
    local to = #self.lines == 0 and -1 or #self.lines - last
    paint.write(self.buf, first, to, vim.list_slice(lines, first + 1, #lines - last))
  end
  self.lines = lines
  if changed then
    self:restore(places)
  end
end

---Writes lines anew that read otherwise.
---@param p specloom.Projection
---@param ids table<string, true> of tasks and specs that changed
---@param shape boolean whether lines came or went
function Board:change(p, ids, shape)
  local rows = vim.list_slice(self.others)
  for id in pairs(ids) do
    for _, kind in ipairs({ "task ", "spec " }) do
      self.kept[kind .. id] = nil
      rows[#rows + 1] = self.row[kind .. id]
    end
  end
  if shape then
    return self:reshape(p)
  end
  for _, row in ipairs(rows) do
    local line = self:line(p, self.nodes[row])
    paint.rows(self.buf)[row] = line
    if line.text ~= self.lines[row] then
      self.lines[row] = line.text
      paint.write(self.buf, row - 1, row, { line.text })
    end
  end
end

---Forgets all lines, since each may read otherwise: another width, another snapshot.
---@param p specloom.Projection
function Board:renew(p)
  self.kept = {}
  self:reshape(p)
end

return M
