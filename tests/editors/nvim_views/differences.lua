-- Where what was folded from events is not what a snapshot of the server says.
local TASK = { "state", "reason", "attempts", "proven", "stale", "agentId", "startedAt", "endedAt", "turns", "usage" }
local WHOLE = { "counts", "usage", "agents", "sessions", "approvals", "prompts" }
local RUN = { "id", "state", "outcome", "turns", "usage", "startedAt", "endedAt" }

---@param seen specloom.Projection
---@param wanted specloom.Projection
---@return string[]
return function(seen, wanted)
  local found = {}
  local function compare(what, one, other, keys)
    for _, key in ipairs(keys) do
      if not vim.deep_equal(one[key], other[key]) then
        found[#found + 1] = ("%s.%s: %s instead of %s"):format(
          what,
          key,
          vim.inspect(one[key]),
          vim.inspect(other[key])
        )
      end
    end
  end
  compare("project", seen, wanted, WHOLE)
  compare("run", seen.run or {}, wanted.run or {}, RUN)
  for id, task in pairs(wanted.tasks) do
    compare(id, seen.tasks[id] or {}, task, TASK)
  end
  for index, spec in ipairs(wanted.specs) do
    compare(spec.id, seen.specs[index], spec, { "counts" })
  end
  return found
end
