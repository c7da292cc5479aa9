--- How long runs were at work, and what of that was for one task, as the server counts it: pauses do not count.
--- Refuses clocks that go back.
local words = require("specloom.words")

local M = {}

-- What takes time ends with one of these, or with another event of a task or run: the server counts up to them alone.
local TIMED = {
  budgetExtended = true,
  attemptFailed = true,
  proofStale = true,
  proofRenewed = true,
  turnFinished = true,
  turnFailed = true,
  toolSettled = true,
  sessionEnded = true,
  approvalAnswered = true,
  checkSettled = true,
}
-- Seconds that count at most between two of them: a machine that slept, or a question over night, was no work.
local LONGEST = 3600

---Adds what an older daemon does not tell; one that was at work when a newer Specloom came is kept.
---@param p any specloom.ProjectGetResult
function M.complete(p)
  if p.work then
    return
  end
  p.work = { seconds = 0 }
  for _, item in ipairs(vim.list_extend({ p.run }, p.tasks)) do
    item.worked = 0
  end
  for _, session in ipairs(p.sessions) do
    session.workedBefore = 0
  end
end

---Seconds of work of all runs of a project.
---@param work specloom.Work
---@param now number seconds since 1970
---@return number
local function up_to(work, now)
  local passed = work.since and now - (words.seconds(work.since) or now) or 0
  return work.seconds + math.min(math.max(0, passed), LONGEST)
end

---@param kind string of an event
---@return boolean
local function is_timed(kind)
  return TIMED[kind] or kind:find("^run%u") ~= nil or kind:find("^task%u") ~= nil
end

---Counts what passed until an event, before that is folded in.
---@param work specloom.Work changed in place
---@param e table a `specloom/event`
function M.clock(work, e)
  if not work.since or not is_timed(e.type) then
    return
  end
  -- Of a run that was cut off nobody knows how long it went on after its last fact.
  if e.type ~= "runPaused" or e.cause ~= "interrupted" then
    work.seconds = up_to(work, words.seconds(e.at) or 0)
  end
  work.since = e.at
end

---A run is at work from now on, or is no more.
---@param p specloom.Projection
---@param e table
function M.steer(p, e)
  local state = p.run and p.run.state
  p.work.since = state and state ~= "paused" and state ~= "finished" and e.at or nil
end

---A task or run begins, or stops, to have a share in the work that goes on.
---@param p specloom.Projection
---@param item { worked: number }
---@param was boolean
---@param is boolean
function M.carry(p, item, was, is)
  item.worked = item.worked + (was and p.work.seconds or 0) - (is and p.work.seconds or 0)
end

---How long it was worked on, for people; nil where it was not begun.
---@param p specloom.Projection
---@param item { worked: number, startedAt: string? } a task or the run
---@param open boolean whether the work that goes on is for it
---@param now number
---@return string?
function M.span(p, item, open, now)
  return item.startedAt and words.duration(item.worked + (open and up_to(p.work, now) or 0)) or nil
end

---How long was worked since a session began, for people.
---@param p specloom.Projection
---@param session specloom.Session
---@param now number
---@return string
function M.since(p, session, now)
  return words.duration(up_to(p.work, now) - session.workedBefore)
end

return M
