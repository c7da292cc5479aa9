-- Where what was folded from events is not what a snapshot of the server says.
-- Sums of seconds, added up in another order.
local WORKED_S = 0.01
local TASK = { "state", "reason", "cause", "attempts", "agentId", "startedAt", "endedAt", "turns", "usage" }
vim.list_extend(TASK, { "proven", "wasProven", "stale", "outdated", "verifiable" })
local SESSION = { "id", "agentId", "role", "model", "taskId", "startedAt", "turns", "usage", "outcome" }
vim.list_extend(SESSION, { "previousId", "number", "parentId", "parentCallId" })
local WHOLE = { "counts", "usage", "agents", "approvals", "prompts" }
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
  local function near(what, one, other)
    if math.abs(one - other) > WORKED_S then
      found[#found + 1] = ("%s: %s instead of %s seconds of work"):format(what, one, other)
    end
  end
  compare("project", seen, wanted, WHOLE)
  near("project", seen.work.seconds, wanted.work.seconds)
  compare("work", seen.work, wanted.work, { "since" })
  compare("run", seen.run or {}, wanted.run or {}, RUN)
  near("run", seen.run and seen.run.worked or 0, wanted.run and wanted.run.worked or 0)
  for id, task in pairs(wanted.tasks) do
    compare(id, seen.tasks[id] or {}, task, TASK)
    near(id, seen.tasks[id].worked, task.worked)
  end
  near("number of sessions", #seen.sessions, #wanted.sessions)
  for index, session in ipairs(wanted.sessions) do
    local folded = seen.sessions[index] or { workedBefore = 0 }
    compare(session.id, folded, session, SESSION)
    near(session.id, folded.workedBefore, session.workedBefore)
  end
  for index, spec in ipairs(wanted.specs) do
    compare(spec.id, seen.specs[index], spec, { "counts" })
  end
  return found
end
