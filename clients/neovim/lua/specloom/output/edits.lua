--- The calls of tools as a person reads them: a line, and for edits a small diff. Refuses to look into files.
local words = require("specloom.words")

local M = {}

local MOST_SHOWN = 30

-- The member of a call's input that says most about it.
local TELLING = { "path", "command", "pattern", "query", "question", "reason", "task", "prompt", "directory" }

---@param name string
---@param input string JSON, maybe only its beginning
---@return string head
---@return string? path
function M.head(name, input)
  local fine, values = pcall(vim.json.decode, input, { luanil = { object = true } })
  local function member(key)
    if fine and type(values) == "table" then
      return values[key]
    end
    return input:match('"' .. key .. '"%s*:%s*"([^"]*)"')
  end
  for _, key in ipairs(TELLING) do
    local value = member(key)
    if type(value) == "string" and value ~= "" then
      return ("%s  %s"):format(name, words.fit(words.line(value), 160)), member("path")
    end
  end
  return name, nil
end

---@class specloom.DiffLine
---@field text string
---@field group string?
---@field line integer? from 1, in the file as the agent saw it

---@return specloom.DiffLine[]
local function added(text, from)
  local lines = {}
  for offset, line in ipairs(vim.split((text:gsub("\n$", "")), "\n", { plain = true })) do
    lines[offset] = { text = "+ " .. line, group = "SpecloomAdded", line = from + offset - 1 }
  end
  return lines
end

local function removed(edit)
  local lines = { { text = "- " .. edit.start_text, group = "SpecloomRemoved", line = edit.start_line } }
  local between = edit.end_line - edit.start_line - 1
  if between > 0 then
    lines[2] = { text = ("- … %s"):format(words.count(between, "line")), group = "SpecloomRemoved" }
  end
  if edit.end_line > edit.start_line then
    lines[#lines + 1] = { text = "- " .. edit.end_text, group = "SpecloomRemoved", line = edit.end_line }
  end
  return lines
end

local function of_edits(edits)
  local lines = {}
  for _, edit in ipairs(edits) do
    local place = ("@@ line %d @@"):format(edit.start_line)
    lines[#lines + 1] = { text = place, group = "SpecloomDetail", line = edit.start_line }
    vim.list_extend(lines, removed(edit))
    if edit.new_text ~= "" then
      vim.list_extend(lines, added(edit.new_text, edit.start_line))
    end
  end
  return lines
end

---The lines that a call means to change; nil for a call that edits nothing, or whose input was cut on its way.
---@param name string
---@param input string
---@return specloom.DiffLine[]?
function M.diff(name, input)
  local fine, values = pcall(vim.json.decode, input)
  if not fine or type(values) ~= "table" then
    return nil
  end
  local lines
  if name == "edit_file" and type(values.edits) == "table" then
    fine, lines = pcall(of_edits, values.edits)
    lines = fine and lines or nil
  elseif name == "write_file" and type(values.content) == "string" then
    lines = added(values.content, 1)
  end
  if lines and #lines > MOST_SHOWN then
    local left = #lines - MOST_SHOWN
    lines = vim.list_slice(lines, 1, MOST_SHOWN)
    lines[#lines + 1] = { text = ("… %d more lines"):format(left), group = "SpecloomDetail" }
  end
  return lines
end

return M
