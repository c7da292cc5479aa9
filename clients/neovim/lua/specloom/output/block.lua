--- One piece of an agent's output as rows. Refuses to know where it stands in the buffer.
local M = {}

-- Of one command or one text; a person who wants all of it finds it on disk.
local MOST_ROWS, KEPT_ROWS = 2000, 1500
-- A row that goes on for ever costs more with each piece, to join and to show.
local LONGEST = 4000

---@class specloom.Row
---@field text string
---@field level string of the fold: "0", ">1" where one begins, "1"
---@field spans specloom.Span[]
---@field path? string what it is about
---@field line? integer from 1
---@field prompt? string id of the words that it shows

---@class specloom.Block
---@field key string
---@field kind string
---@field rows specloom.Row[]
---@field from integer first row that reads otherwise since it was last drawn; beyond the end: none
---@field drawn integer rows in the buffer
---@field head boolean whether the first row is one
---@field level string of what is added
---@field group string? highlight of what is added
---@field indent string
---@field open boolean whether the last row may go on
---@field left integer rows that were given up
---@field raw string what it shows in other words, as it came
---@field call? { head: string, path: string?, diff: boolean?, settled: boolean? }
local Block = {}
Block.__index = Block

---@param key string
---@param kind string
---@param style? { level?: string, group?: string, indent?: string }
---@return specloom.Block
function M.new(key, kind, style)
  local made =
    { key = key, kind = kind, rows = {}, from = 1, drawn = 0, head = false, open = false, left = 0, raw = "" }
  local plain = { level = "0", indent = "" }
  return setmetatable(vim.tbl_extend("force", plain, style or {}, made), Block)
end

---@param text string
---@param group string?
---@param level? string
---@return specloom.Row
function M.row(text, group, level)
  return { text = text, level = level or "0", spans = group and { { 0, #text, group } } or {} }
end

---@param index integer
function Block:touch(index)
  self.from = math.min(self.from, index)
end

---@param row specloom.Row
function Block:put(row)
  self.rows[#self.rows + 1] = row
  self:touch(#self.rows)
  self.open = false
end

---Sets the first row, which stays when the rest is folded away.
---@param text string
---@param group string?
---@param path? string
function Block:set_head(text, group, path)
  local row = M.row(text:gsub("[\n\r]", " "), group, self.level == "0" and "0" or ">1")
  row.path = path
  if self.head then
    self.rows[1] = row
  else
    table.insert(self.rows, 1, row)
  end
  self.head = true
  self:touch(1)
end

---Adds text that may go on in the middle of a line.
---@param text string
function Block:add(text)
  if text == "" then
    return
  end
  -- Colours and cursor movements of a terminal say nothing here.
  text = text:gsub("\27%[[%d;?]*%a", ""):gsub("\r\n?", "\n")
  for piece in vim.gsplit(text, "\n", { plain = true }) do
    local last = self.rows[#self.rows]
    if self.open and last and #last.text + #piece <= LONGEST then
      last.text = last.text .. piece
      last.spans = self.group and { { 0, #last.text, self.group } } or {}
      self:touch(#self.rows)
    else
      self:put(M.row(self.indent .. piece, self.group, self.level))
    end
    self.open = false
  end
  self.open = true
  if #self.rows > MOST_ROWS then
    self:shorten()
  end
end

---Gives the oldest rows up, but for the first.
function Block:shorten()
  local first, over = self.head and 1 or 0, #self.rows - KEPT_ROWS
  self.left = self.left + over - (self.left > 0 and 1 or 0)
  local rows = vim.list_slice(self.rows, 1, first)
  rows[#rows + 1] = M.row(self.indent .. ("[%d lines left out]"):format(self.left), "SpecloomDetail", self.level)
  self.rows, self.from = vim.list_extend(rows, self.rows, first + over + 1), 1
end

---Puts other rows in place of all, where they read otherwise.
---@param rows specloom.Row[]
function Block:show(rows)
  local same = #rows == #self.rows
  for index, row in ipairs(rows) do
    same = same and row.text == self.rows[index].text
  end
  if not same then
    self.rows, self.from = rows, 1
  end
end

---Puts another text in place of all but the head, and folds it away or shows it.
---@param text string
---@param folded boolean
function Block:set(text, folded)
  self.rows = vim.list_slice(self.rows, 1, self.head and 1 or 0)
  self.open, self.left, self.level = false, 0, folded and "1" or "0"
  self:touch(1)
  self:add(text)
end

---Puts another text in place of all but the head, and touches no row that stays what it was.
---@param text string
function Block:replace(text)
  local before, from = self.rows, self.from
  self:set(text, self.level == "1")
  local first = 1
  while before[first] and self.rows[first] and before[first].text == self.rows[first].text do
    first = first + 1
  end
  self.from = math.min(from, first)
end

return M
