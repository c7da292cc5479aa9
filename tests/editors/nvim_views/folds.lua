-- Folds lives of projects, a file each: the first line is a snapshot, the last one what the server says at the end.
package.path = vim.fs.dirname(debug.getinfo(1, "S").source:sub(2)) .. "/?.lua;" .. package.path
require("loopback")
local differences = require("differences")
local projection = require("specloom.projection")

local function decoded(line)
  return vim.json.decode(line, { luanil = { object = true } })
end

local folded, wrong = 0, {}
for name in vim.fs.dir(vim.env.STORY_ROOT) do
  local lines = vim.fn.readfile(vim.env.STORY_ROOT .. "/" .. name)
  local p = projection.new(decoded(lines[1]))
  for number = 2, #lines - 1 do
    local event = decoded(lines[number])
    if projection.fold(p, event).again then
      wrong[#wrong + 1] = ("%s: %s asks for another snapshot"):format(name, event.type)
    end
  end
  for _, found in ipairs(differences(p, projection.new(decoded(lines[#lines])))) do
    wrong[#wrong + 1] = ("%s: %s"):format(name, found)
  end
  folded = folded + #lines - 2
end
print(#wrong == 0 and folded .. " events" or table.concat(wrong, "\n"))
os.exit(#wrong == 0 and folded > 0 and 0 or 1)
