-- Whether what was folded from events is what the server says now.
local connection = require("specloom.client").all()[1]

local function plain(value)
  if type(value) ~= "table" then
    return value
  end
  local copy = {}
  for key, member in pairs(value) do
    copy[key] = plain(member)
  end
  return copy
end

-- What a snapshot tells and no event does, or what the views do not show.
local TASK = { "state", "attempts", "proven", "stale", "agentId", "startedAt", "endedAt", "turns", "usage", "verify" }
local WHOLE = { "counts", "usage", "agents", "sessions", "approvals", "prompts" }
local RUN = { "id", "state", "outcome", "turns", "usage", "startedAt", "endedAt" }

local function differences(seen, wanted)
  local found = {}
  local function compare(what, one, other, keys)
    for _, key in ipairs(keys) do
      if not vim.deep_equal(plain(one[key]), plain(other[key])) then
        found[#found + 1] = ("%s.%s: %s is %s"):format(what, key, vim.inspect(one[key]), vim.inspect(other[key]))
      end
    end
  end
  compare("project", seen, wanted, WHOLE)
  compare("run", seen.run or {}, wanted.run or {}, RUN)
  for id, task in pairs(wanted.tasks) do
    compare(id, seen.tasks[id] or {}, task, TASK)
  end
  return found
end

connection:request("specloom/project/get", vim.empty_dict(), function(refused, snapshot)
  local wanted = require("specloom.projection").new(assert(snapshot, refused))
  local found = differences(connection.projection, wanted)
  vim.notify(#found == 0 and "as the server says" or "not as the server says:\n" .. table.concat(found, "\n"))
end)
