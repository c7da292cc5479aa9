--- What is true of a project: a snapshot, and the events after it folded in by `seq`.
--- Refuses to decide, to draw, and to keep what the server would not tell again.
local graph = require("specloom.projection.graph")
local work = require("specloom.projection.work")

local M = {}

---@class specloom.Change
---@field ids table<string, true> Tasks that read otherwise, with the parents, specs and agents that this shows at.
---@field top boolean The run or the sums of the whole.
---@field shape boolean Something came or went: an agent, a session, a question, words, a plan.
---@field again boolean The documents are others: only a new snapshot tells what they say.

---@class specloom.SpecNode : specloom.Spec
---@field tops string[] Ids of its outermost tasks.

---@class specloom.TaskNode : specloom.Task
---@field children string[]

---@class specloom.Projection : specloom.ProjectGetResult
---@field requirements table<string, specloom.Requirement>
---@field specs specloom.SpecNode[]
---@field spec table<string, specloom.SpecNode>
---@field tasks table<string, specloom.TaskNode>
---@field session table<string, specloom.Session>
---@field working table<string, true> leaves that are in progress
---@field graph specloom.Graph

local function by_id(items)
  local found = {}
  for _, item in ipairs(items) do
    found[item.id] = item
  end
  return found
end

---Takes the snapshot over: its tables become those of the projection.
---@param p any specloom.ProjectGetResult
---@return specloom.Projection
function M.new(p)
  work.complete(p)
  p.session, p.spec, p.requirements = by_id(p.sessions), by_id(p.specs), by_id(p.requirements)
  for _, spec in ipairs(p.specs) do
    spec.tops = {}
  end
  local listed = p.tasks
  p.tasks, p.working = by_id(listed), {}
  for _, task in ipairs(listed) do
    task.children = {}
    local above = p.tasks[task.parent]
    local place = above and above.children or p.spec[task.specId].tops
    place[#place + 1] = task.id
    p.working[task.id] = task.isLeaf and task.state == "in_progress" or nil
  end
  p.graph = graph.new(listed, p.tasks, p.dependencyGroups)
  return p
end

---@return boolean whether it was there
local function remove(items, id, key)
  for index, item in ipairs(items) do
    if item[key or "id"] == id then
      return table.remove(items, index) ~= nil
    end
  end
  return false
end

---@param sum specloom.Usage
---@param more specloom.Usage
local function add(sum, more)
  for _, kind in ipairs({ "input", "output", "cacheRead", "cacheWrite" }) do
    sum[kind] = sum[kind] + more[kind]
  end
  sum.costUsd = sum.costUsd and more.costUsd and sum.costUsd + more.costUsd or nil
end

---@param p specloom.Projection
---@return boolean
function M.is_active(p)
  return p.run ~= nil and p.run.state ~= "finished"
end

---Charges a request to everything that it belongs to.
local function charged(p, e, change, turns)
  add(p.usage, e.usage)
  change.top = true
  if M.is_active(p) then
    add(p.run.usage, e.usage)
    p.run.turns = p.run.turns + turns
  end
  local session = p.session[e.sessionId]
  if not session then
    return
  end
  add(session.usage, e.usage)
  session.turns = turns > 0 and e.turn or session.turns
  change.ids[session.agentId] = true
  for _, agent in ipairs(p.agents) do
    agent.turns = agent.sessionId == session.id and session.turns or agent.turns
  end
  local task = p.tasks[session.taskId]
  if task then
    add(task.usage, e.usage)
    task.turns = task.turns + turns
    change.ids[task.id] = true
  end
end

---The task of an event with other members and another state; its parents, spec and followers go along.
local function moved(state, members)
  return function(p, e, change)
    local task = p.tasks[e.taskId]
    if not task then
      change.again = true
      return
    end
    task.agentId = nil
    members(task, e)
    work.carry(p, task, task.state == "in_progress", state == "in_progress")
    graph.move(p, task, state, change)
  end
end

local function cleared(task)
  task.reason, task.cause = "", nil
end

local function fresh(task)
  cleared(task)
  task.attempts = 0
end

local function again(_, e, change)
  change.again = not e.boxesOnly
end

---@param evidence specloom.Evidence[]
---@return boolean whether a run can repeat commands of it
local function verifiable(evidence)
  return vim.iter(evidence):any(function(piece)
    return piece.command ~= ""
  end)
end

---It rests on this evidence, which nobody doubts yet.
local function proven(task, e)
  task.stale, task.proven, task.wasProven, task.verifiable = {}, e.proven, e.proven, verifiable(e.evidence)
  task.outdated, task.endedAt = e.filesOnly and task.outdated or {}, e.at
end

---Its proof reads otherwise, by members that are given with the event.
local function proved(members)
  return function(p, e, change)
    local task = p.tasks[e.taskId]
    if task then
      members(task, e)
      change.ids[task.id] = true
    end
  end
end

local function of_run(state)
  return function(p, e, change)
    local run = p.run
    change.top = true
    if run and run.id == e.runId then
      work.carry(p, run, run.state ~= "finished", state ~= "finished")
      run.state, run.reason, run.cause, run.outcome = state, e.reason or "", e.cause, e.outcome
      run.pauseAfter = state == "pausing" and e.after or nil
      run.endedAt = state == "finished" and e.at or nil
    end
    work.steer(p, e)
    -- What is begun looks otherwise while the run is paused.
    for id in pairs(p.working) do
      while id do
        change.ids[id], id = true, p.tasks[id].parent
      end
    end
  end
end

---What waits, waits no more.
local function gone(list, member)
  return function(p, e, change)
    change.shape = remove(p[list], e[member]) or change.shape
  end
end

local function of_plan(fold)
  return function(p, e, change)
    change.shape = true
    if p.planning and p.planning.id == e.planId then
      fold(p.planning, e)
    end
  end
end

local function no_usage()
  return { input = 0, output = 0, cacheRead = 0, cacheWrite = 0, costUsd = 0 }
end

---@type table<string, fun(p: specloom.Projection, e: table, change: specloom.Change)>
local FOLDS = {
  projectOpened = again,
  requirementsRead = again,
  requirementsRemoved = again,
  specRead = again,
  specRemoved = again,
  taskStarted = moved("in_progress", function(task, e)
    cleared(task)
    task.agentId, task.attempts, task.endedAt = e.agentId, e.number, nil
    task.startedAt = e.number > 1 and task.startedAt or e.at
  end),
  taskReleased = moved("pending", function() end),
  attemptFailed = moved("pending", function() end),
  taskDone = moved("done", function(task, e)
    task.reason = ""
    proven(task, e)
  end),
  taskFailed = moved("failed", function(task, e)
    -- What proved it once is still on record.
    task.reason, task.stale, task.outdated, task.proven, task.endedAt = e.reason, {}, {}, task.wasProven, e.at
  end),
  taskBlocked = moved("blocked", function(task, e)
    task.reason, task.cause = e.reason, e.cause
  end),
  taskUnblocked = moved("pending", cleared),
  taskSkipped = moved("skipped", function(task, e)
    task.reason, task.cause = e.reason, nil
  end),
  taskReset = moved("pending", function(task)
    fresh(task)
    task.proven, task.wasProven, task.verifiable, task.stale, task.outdated = false, false, false, {}, {}
    task.startedAt, task.endedAt = nil, nil
  end),
  taskRetried = moved("pending", fresh),
  proofStale = proved(function(task, e)
    task.stale, task.outdated, task.proven = e.paths, e.requirements, task.wasProven and #e.paths == 0
  end),
  proofRenewed = proved(proven),
  runStarted = function(p, e, change)
    change.top = true
    p.run = { id = e.runId, scope = e.scope, budget = e.budget, unattended = e.unattended, state = "running" }
    p.run.reason, p.run.turns, p.run.usage, p.run.startedAt = "", 0, no_usage(), e.at
    p.run.worked = -p.work.seconds
    work.steer(p, e)
  end,
  runPausing = of_run("pausing"),
  runPaused = of_run("paused"),
  runResumed = of_run("running"),
  runCancelling = of_run("cancelling"),
  runFinished = of_run("finished"),
  sessionStarted = function(p, e, change)
    local session = { id = e.sessionId, agentId = e.agentId, role = e.role, model = e.model, taskId = e.taskId }
    session.startedAt, session.turns, session.usage, session.outcome = e.at, 0, no_usage(), ""
    session.previousId, session.number = e.previousId, e.number
    session.parentId, session.parentCallId, session.workedBefore = e.parentId, e.parentCallId, p.work.seconds
    p.sessions[#p.sessions + 1], p.session[session.id] = session, session
    if not session.parentId then
      local agent = { id = session.agentId, role = session.role, taskId = session.taskId, turns = 0 }
      agent.sessionId = session.id
      p.agents[#p.agents + 1] = agent
    end
    change.shape = true
  end,
  sessionEnded = function(p, e, change)
    if p.session[e.sessionId] then
      p.session[e.sessionId].outcome = e.outcome
    end
    remove(p.agents, e.sessionId, "sessionId")
    change.shape = true
  end,
  turnFinished = function(p, e, change)
    charged(p, e, change, 1)
  end,
  turnFailed = function(p, e, change)
    charged(p, e, change, 0)
  end,
  approvalAsked = function(p, e, change)
    local asked = { id = e.approvalId, kind = e.kind, subject = e.subject, purpose = e.purpose, askedAt = e.at }
    asked.agentId, asked.taskId, asked.choices = e.agentId, e.taskId, e.choices
    p.approvals[#p.approvals + 1] = asked
    change.shape = true
  end,
  approvalAnswered = gone("approvals", "approvalId"),
  promptQueued = function(p, e, change)
    p.prompts[#p.prompts + 1] = { id = e.promptId, agentId = e.toAgentId, text = e.text, queuedAt = e.at }
    change.shape = true
  end,
  promptWithdrawn = gone("prompts", "promptId"),
  promptDelivered = gone("prompts", "promptId"),
  planStarted = function(p, e, change)
    change.shape = true
    p.planning = { id = e.planId, path = e.path, stage = e.stage, state = "running", writing = {}, reason = "" }
  end,
  specGenerating = of_plan(function(plan, e)
    plan.writing[#plan.writing + 1] = { specId = e.specId, path = e.path }
  end),
  specWritten = of_plan(function(plan, e)
    plan.writing = vim.tbl_filter(function(item)
      return item.specId ~= e.specId
    end, plan.writing)
  end),
  planFinished = of_plan(function(plan, e)
    -- What they say comes with the next snapshot.
    plan.state, plan.written = "finished", #e.specIds > 0
  end),
  planFailed = of_plan(function(plan, e)
    plan.state, plan.reason = "failed", e.reason
  end),
}

---Folds one event in; one that is in it already changes nothing, and one of an unknown type only the `seq`.
---@param p specloom.Projection changed in place
---@param event table a `specloom/event`
---@return specloom.Change
function M.fold(p, event)
  local change = { ids = {}, top = false, shape = false, again = false }
  if event.seq > p.seq then
    p.seq = event.seq
    work.clock(p.work, event)
    local fold = FOLDS[event.type]
    if fold then
      fold(p, event, change)
    end
  end
  return change
end

return M
