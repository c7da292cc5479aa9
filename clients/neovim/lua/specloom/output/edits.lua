--- The calls of tools as a person reads them: a line, and for edits a small diff. Refuses to look into files.
local words = require("specloom.words")

local M = {}

local MOST_SHOWN = 30

-- The member of a call's input that says most about it.
local TELLING = { "path", "command", "pattern", "query", "question", "reason", "task", "prompt", "directory" }

---@param input string JSON, maybe only its beginning
---@return table? values
local function decoded(input)
  local fine, values = pcall(vim.json.decode, input, { luanil = { object = true } })
  return fine and type(values) == "table" and values or nil
end

---@param name string
---@param input string JSON, maybe only its beginning
---@return string head
---@return string? path
function M.head(name, input)
  local values = decoded(input)
  local function member(key)
    if values then
      return type(values[key]) == "string" and values[key] or nil
    end
    return input:match('"' .. key .. '"%s*:%s*"([^"]*)"')
  end
  for _, key in ipairs(TELLING) do
    local value = member(key) or ""
    if value ~= "" then
      return ("%s  %s"):format(name, words.fit(words.line(value), 160)), member("path")
    end
  end
  return name
end

---@class specloom.DiffLine
---@field [1] string text
---@field [2] string group
---@field [3] integer? from 1, in the file as the agent saw it

---@param lines specloom.DiffLine[] that more are added to
local function add_new(lines, text, from)
  for offset, line in ipairs(vim.split((text:gsub("\n$", "")), "\n", { plain = true })) do
    lines[#lines + 1] = { "+ " .. line, "SpecloomAdded", from + offset - 1 }
  end
end

local function add_edit(lines, edit)
  lines[#lines + 1] = { ("@@ line %d @@"):format(edit.start_line), "SpecloomDetail", edit.start_line }
  lines[#lines + 1] = { "- " .. edit.start_text, "SpecloomRemoved", edit.start_line }
  local between = edit.end_line - edit.start_line - 1
  if between > 0 then
    lines[#lines + 1] = { ("- … %s"):format(words.count(between, "line")), "SpecloomRemoved" }
  end
  if between >= 0 then
    lines[#lines + 1] = { "- " .. edit.end_text, "SpecloomRemoved", edit.end_line }
  end
  if edit.new_text ~= "" then
    add_new(lines, edit.new_text, edit.start_line)
  end
end

---The lines that a call means to change; none for a call that edits nothing, or whose input was cut on its way.
---@param name string
---@param input string
---@return specloom.DiffLine[]
function M.diff(name, input)
  local values, lines = decoded(input) or {}, {}
  -- What a model calls may lack anything; what can be shown is.
  pcall(function()
    if name == "write_file" then
      add_new(lines, values.content, 1)
    end
    for _, edit in ipairs(name == "edit_file" and values.edits or {}) do
      add_edit(lines, edit)
    end
  end)
  local left = #lines - MOST_SHOWN
  if left > 0 then
    lines = vim.list_slice(lines, 1, MOST_SHOWN)
    lines[#lines + 1] = { ("… %s more"):format(words.count(left, "line")), "SpecloomDetail" }
  end
  return lines
end

return M
