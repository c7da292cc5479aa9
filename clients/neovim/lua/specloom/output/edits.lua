--- The calls of tools as a person reads them: a line, and what they write or change. Refuses to look into files.
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
---@field [3] integer? from 1, in the file as it is then

---The lines of a file that a call writes as a whole; none for other calls, and for an input that was cut on its way.
---@param name string
---@param input string
---@return specloom.DiffLine[]
function M.written(name, input)
  local values, lines = decoded(input), {}
  if name ~= "write_file" or not values or type(values.content) ~= "string" then
    return lines
  end
  local content = vim.split((values.content:gsub("\n$", "")), "\n", { plain = true })
  for number = 1, math.min(#content, MOST_SHOWN) do
    lines[number] = { "+ " .. content[number], "SpecloomAdded", number }
  end
  local left = #content - MOST_SHOWN
  lines[#lines + 1] = left > 0 and { ("… %s more"):format(words.count(left, "line")), "SpecloomDetail" } or nil
  return lines
end

local GROUPS = { ["+"] = "SpecloomAdded", ["-"] = "SpecloomRemoved" }

---What an edit changed, by the diff that its event tells.
---@param diff string
---@return specloom.DiffLine[]
function M.changed(diff)
  local lines, at = {}, 1
  for text in vim.gsplit(diff, "\n", { plain = true, trimempty = true }) do
    local sign, rest = text:sub(1, 1), text:sub(2)
    at = tonumber(text:match("^@@ .-%+(%d+)")) or at
    local shown = GROUPS[sign] and sign .. " " .. rest or sign == "\\" and "…" .. rest or text
    lines[#lines + 1] = { shown, GROUPS[sign] or "SpecloomDetail", math.max(at, 1) }
    at = sign == "+" and at + 1 or at
  end
  return lines
end

return M
