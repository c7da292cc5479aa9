--- The tree as lines: a pure function of a projection and a view. Refuses buffers, windows and clocks.
local words = require("specloom.words")
local work = require("specloom.projection.work")

local M = {}

---@class specloom.View
---@field width integer cells
---@field now number seconds since 1970
---@field closed table<string, true> node ids
---@field plain boolean no signs beyond ASCII

---@class specloom.Node
---@field id string unique in the tree, the same as long as it means the same
---@field kind "project"|"planning"|"approvals"|"approval"|"spec"|"task"|"agents"|"agent"|"session"|"prompt"|"hint"
---@field item table what it shows, as the projection has it
---@field depth integer
---@field parent boolean can be closed

---@alias specloom.Span { [1]: integer, [2]: integer, [3]: string } bytes from, to, and the highlight group

local BETWEEN = " · "

---The first of the parts that have room.
---@param parts string[]
---@param room integer cells
---@return string text
---@return integer cells
local function joined(parts, room)
  local text, cells = parts[1] or "", words.width(parts[1] or "")
  for index = 2, #parts do
    local more = words.width(BETWEEN) + words.width(parts[index])
    if cells + more > room then
      break
    end
    text, cells = text .. BETWEEN .. parts[index], cells + more
  end
  if cells > room then
    text = words.fit(text, room)
    cells = words.width(text)
  end
  return text, cells
end

---Those of the parts that are there.
local function given(...)
  local parts = {}
  for index = 1, select("#", ...) do
    local part = select(index, ...)
    parts[#parts + 1] = part and part ~= "" and part or nil
  end
  return parts
end

---The ids as a person at a task of that spec reads them.
local function near(ids, spec)
  local names = {}
  for index, id in ipairs(ids) do
    if index > 2 then
      names[3] = ("+%d"):format(#ids - 2)
      break
    end
    names[index] = vim.startswith(id, spec .. "/") and id:sub(#spec + 2) or id
  end
  return table.concat(names, ", ")
end

---@param p specloom.Projection
---@param task specloom.TaskNode
local function waits_for(p, task)
  local left = vim.tbl_filter(function(id)
    local before = p.tasks[id]
    return before ~= nil and before.state ~= "done" and before.state ~= "skipped"
  end, task.dependsOn)
  if #task.dependsOnGroups > 0 and (p.graph.missing[task.id] or 0) > #left then
    left[#left + 1] = "others"
  end
  return #left > 0 and "after " .. near(left, task.specId)
end

---@param task specloom.TaskNode
---@param p specloom.Projection
---@param view specloom.View
local function details_of(task, p, view)
  local state, optional = task.state, task.optional and "optional"
  if state == "pending" then
    return given(optional, waits_for(p, task))
  elseif state == "ready" then
    return given(optional, "ready", task.attempts > 1 and "attempt " .. task.attempts)
  elseif state == "in_progress" or state == "done" then
    local doubt = #task.stale > 0 and "proof stale" or #task.outdated > 0 and "outdated"
    local vouched = doubt or task.proven and "proven" or "done"
    local took = work.span(p, task, state == "in_progress", view.now)
    return given(state == "done" and vouched or "attempt " .. task.attempts, took, words.money(task.usage))
  elseif state == "skipped" then
    return given("skipped", words.line(task.reason))
  end
  return given(task.cause and "blocked by " .. near({ task.cause }, task.specId) or words.line(task.reason))
end

local function is_paused(p)
  return p.run ~= nil and p.run.state == "paused"
end

-- A plan goes on while a run is paused.
local function stands(p, role)
  return is_paused(p) and not (role == "planner" and p.planning and p.planning.state == "running")
end

local function of_task(task, p, view)
  local title = task.number .. " " .. words.line(task.title)
  local state = task.state == "in_progress" and is_paused(p) and "paused" or task.state
  if task.isLeaf then
    local doubt = #task.stale > 0 and "stale" or #task.outdated > 0 and "outdated"
    return task.state == "done" and doubt or state, title, details_of(task, p, view)
  end
  local tally = p.graph.tally[task.id]
  return state, title, { ("%d/%d"):format(tally.done + tally.skipped, tally.total) }
end

local function of_counts(counts)
  local failed, blocked = counts.failed, counts.blocked
  local done = ("%d/%d"):format(counts.done + counts.skipped, counts.total)
  return given(done, failed > 0 and failed .. " failed", blocked > 0 and blocked .. " blocked")
end

local function of_spec(spec)
  local counts = spec.counts
  local title = words.line(vim.startswith(spec.title, spec.id) and spec.title or spec.id .. " " .. spec.title)
  if spec.status == "generating" then
    return "in_progress", title, { "being written" }
  end
  local whole = counts.total > 0 and counts.done + counts.skipped == counts.total
  local state = counts.failed > 0 and "failed" or counts.blocked > 0 and "blocked" or whole and "done" or "pending"
  return state, title, of_counts(counts)
end

local function of_project(p, _, view)
  local run, counts, what, state = p.run, of_counts(p.counts), "no run yet", "pending"
  if run and run.state == "finished" then
    what = "run " .. (run.outcome == "fault" and "stopped" or run.outcome or "finished")
    state = run.outcome == "completed" and "done" or "pending"
  elseif run then
    local scope = run.scope.kind == "project" and "" or (" %s %s"):format(run.scope.kind, run.scope.id)
    local after = run.pauseAfter and " after this " .. run.pauseAfter
    what, state = run.state .. (after or scope), is_paused(p) and "paused" or "in_progress"
  end
  local lasted, cost = run and work.span(p, run, run.state ~= "finished", view.now), words.money(p.usage)
  return state, p.name, given(what, p.readOnly and "read only", counts[1], cost, lasted, unpack(counts, 2))
end

---State, title and details, the most telling first.
---@type table<string, fun(item: table, p: specloom.Projection, view: specloom.View): string?, string, string[]>
local TEXTS = {
  project = of_project,
  spec = of_spec,
  task = of_task,
  planning = function(plan)
    if plan.state == "failed" then
      return "failed", "plan failed", { words.line(plan.reason) }
    end
    local writing = vim.tbl_map(function(item)
      return item.path
    end, plan.writing)
    return "in_progress", plan.stage == "tasks" and "deriving tasks" or "planning specs", writing
  end,
  approvals = function(_, p)
    return "waiting", "Waiting for you", { tostring(#p.approvals) }
  end,
  approval = function(asked, _, view)
    return "waiting", words.line(asked.subject), given(asked.taskId, words.span(asked.askedAt, nil, view.now))
  end,
  agents = function(_, p)
    local still = vim.iter(p.agents):all(function(agent)
      return stands(p, agent.role)
    end)
    return nil, "Agents", { #p.agents > 0 and #p.agents .. (still and " paused" or " at work") or "idle" }
  end,
  agent = function(agent, p)
    local session = p.session[agent.sessionId]
    local cost = session and words.money(session.usage)
    return "agent", agent.role, given(agent.taskId, words.count(agent.turns, "turn"), cost)
  end,
  session = function(session, p, view)
    -- Of what is for a task pauses do not count; a plan knows none.
    local lasts = session.taskId and work.since(p, session, view.now) or words.span(session.startedAt, nil, view.now)
    local ended = session.outcome ~= "" and session.outcome or stands(p, session.role) and "paused" or lasts
    local name = session.parentId and "sub-agent" or ("session %d"):format(session.number)
    return nil, name, given(ended, words.count(session.turns, "turn"), session.model)
  end,
  prompt = function(prompt)
    return "prompt", words.line(prompt.text), { "unheard" }
  end,
  hint = function()
    return nil, "No specs yet: r plans them", {}
  end,
}

local TITLES = {
  project = "SpecloomTitle",
  spec = "SpecloomSpec",
  approvals = "SpecloomWaiting",
  agents = "SpecloomSection",
  hint = "SpecloomDetail",
}
local LOUD = {
  failed = "SpecloomFailed",
  blocked = "SpecloomBlocked",
  stale = "SpecloomStale",
  outdated = "SpecloomStale",
}

---One line of the tree.
---@param p specloom.Projection
---@param node specloom.Node
---@param view specloom.View
---@return string text
---@return specloom.Span[]
function M.line(p, node, view)
  local state, title, details = TEXTS[node.kind](node.item, p, view)
  local spans, text, cells = {}, ("  "):rep(node.depth), 2 * node.depth
  local function add(part, group)
    spans[#spans + 1] = group and { #text, #text + #part, group } or nil
    text, cells = text .. part, cells + words.width(part)
  end
  local function sign(name)
    local found = words.SIGNS[name]
    add(found[view.plain and 2 or 1], found[3])
    add(" ")
  end
  if node.parent then
    sign(view.closed[node.id] and "closed" or "open")
  elseif node.depth > 0 and node.kind == "task" then
    add("  ")
  end
  if state then
    sign(state)
  end
  local room = view.width - cells
  local detail, wide = joined(details, math.max(math.floor(room * 0.4), room - words.width(title) - 2))
  local title_room = detail == "" and room or room - wide - 2
  add(words.fit(title, title_room), TITLES[node.kind] or (state == "skipped" and "SpecloomSkipped" or nil))
  if detail ~= "" then
    add((" "):rep(view.width - cells - wide))
    add(detail, LOUD[state] or "SpecloomDetail")
  end
  return text, spans
end

---Sessions that led to this one, and those that its agent sent.
local function sessions_of(p, agent)
  local found, now = {}, p.session[agent.sessionId]
  while now do
    table.insert(found, 1, now)
    now = now.previousId and p.session[now.previousId]
  end
  for _, session in ipairs(p.sessions) do
    if session.parentId == agent.sessionId and session.outcome == "" then
      found[#found + 1] = session
    end
  end
  return found
end

---@alias specloom.List fun(kind: string, id: string, item: table, depth: integer, parent?: boolean): boolean

local function put_tasks(p, ids, depth, list)
  for _, id in ipairs(ids) do
    local task = p.tasks[id]
    if list("task", id, task, depth, #task.children > 0) then
      put_tasks(p, task.children, depth + 1, list)
    end
  end
end

---Words stand below the first agent that they are for, or below all.
local function put_agents(p, list)
  local told = {}
  local function put_prompts(agent, depth)
    for _, prompt in ipairs(p.prompts) do
      if not told[prompt.id] and (not agent or prompt.agentId == agent.id) then
        told[prompt.id] = list("prompt", prompt.id, prompt, depth) or true
      end
    end
  end
  for _, agent in ipairs(p.agents) do
    if list("agent", agent.sessionId, agent, 1, true) then
      for _, session in ipairs(sessions_of(p, agent)) do
        list("session", session.id, session, 3)
      end
    end
    put_prompts(agent, 2)
  end
  put_prompts(nil, 1)
end

---All lines that show, as nodes.
---@param p specloom.Projection
---@param view specloom.View
---@return specloom.Node[]
function M.nodes(p, view)
  local nodes, plan = {}, p.planning
  ---@type specloom.List
  local function list(kind, id, item, depth, parent)
    id = kind .. " " .. id
    nodes[#nodes + 1] = { id = id, kind = kind, item = item, depth = depth, parent = parent or false }
    return parent and not view.closed[id] or false
  end
  list("project", p.id, p, 0)
  if plan and plan.state ~= "finished" then
    list("planning", plan.id, plan, 0)
  end
  if #p.approvals > 0 and list("approvals", "", p.approvals, 0, true) then
    for _, asked in ipairs(p.approvals) do
      list("approval", asked.id, asked, 1)
    end
  end
  for _, spec in ipairs(p.specs) do
    if list("spec", spec.id, spec, 0, #spec.tops > 0) then
      put_tasks(p, spec.tops, 1, list)
    end
  end
  if #p.specs == 0 and not (plan and (plan.state == "running" or plan.written)) then
    list("hint", "", {}, 0)
  end
  if #p.agents + #p.prompts > 0 and list("agents", "", p.agents, 0, true) then
    put_agents(p, list)
  end
  return nodes
end

return M
