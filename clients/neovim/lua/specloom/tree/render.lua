--- The tree as lines: a pure function of a projection and a view. Refuses buffers, windows and clocks.
local words = require("specloom.words")

local M = {}

---@class specloom.View
---@field width integer cells
---@field now number seconds since 1970
---@field closed table<string, true> node ids
---@field plain boolean no signs beyond ASCII

---@class specloom.Node
---@field id string unique in the tree, the same as long as it means the same
---@field kind "project"|"planning"|"approvals"|"approval"|"spec"|"task"|"agents"|"agent"|"session"|"prompt"|"hint"
---@field ref string id of what it shows
---@field depth integer
---@field parent boolean can be closed

---@alias specloom.Span { [1]: integer, [2]: integer, [3]: string } bytes from, to, and the highlight group

M.SIGNS = {
  pending = { "·", ".", "SpecloomPending" },
  ready = { "○", "o", "SpecloomReady" },
  in_progress = { "▶", ">", "SpecloomInProgress" },
  done = { "✓", "x", "SpecloomDone" },
  failed = { "✗", "!", "SpecloomFailed" },
  blocked = { "■", "#", "SpecloomBlocked" },
  skipped = { "–", "-", "SpecloomSkipped" },
  stale = { "≈", "~", "SpecloomStale" },
  waiting = { "?", "?", "SpecloomWaiting" },
  agent = { "◆", "*", "SpecloomAgent" },
  prompt = { "»", "»", "SpecloomPrompt" },
  open = { "▾", "v", "SpecloomFold" },
  closed = { "▸", ">", "SpecloomFold" },
}

---@param view specloom.View
---@param name string
---@return string sign
---@return string group
local function sign(view, name)
  local found = M.SIGNS[name]
  return view.plain and found[2] or found[1], found[3]
end

---The first of the parts that have room.
local function joined(parts, cells)
  local left = #parts
  while left > 1 and words.width(table.concat(parts, " · ", 1, left)) > cells do
    left = left - 1
  end
  return words.fit(table.concat(parts, " · ", 1, left), cells)
end

---Adds what is there.
local function put(parts, ...)
  for index = 1, select("#", ...) do
    local part = select(index, ...)
    if part and part ~= "" then
      parts[#parts + 1] = part
    end
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

local SATISFIED = { done = true, skipped = true }

---@param p specloom.Projection
---@param task specloom.TaskNode
local function waits_for(p, task)
  local left = vim.tbl_filter(function(id)
    return p.tasks[id] ~= nil and not SATISFIED[p.tasks[id].state]
  end, task.dependsOn)
  if #task.dependsOnGroups > 0 and (p.graph.missing[task.id] or 0) > #left then
    left[#left + 1] = "others"
  end
  return #left > 0 and "after " .. near(left, task.specId) or nil
end

local function attempt(task)
  return task.attempts > 1 and "attempt " .. task.attempts or nil
end

local function took(task, view)
  return words.span(task.startedAt, task.endedAt, view.now)
end

---@type table<string, fun(p: specloom.Projection, task: specloom.TaskNode, view: specloom.View): string[]>
local DETAILS = {
  pending = function(p, task)
    return put({}, task.optional and "optional", waits_for(p, task))
  end,
  ready = function(_, task)
    return put({}, task.optional and "optional", "ready", attempt(task))
  end,
  in_progress = function(_, task, view)
    return put({}, "attempt " .. task.attempts, took(task, view), words.money(task.usage))
  end,
  done = function(_, task, view)
    local said = #task.stale > 0 and "proof stale" or task.proven and "proven" or "done"
    return put({}, said, took(task, view), words.money(task.usage))
  end,
  failed = function(_, task)
    return put({}, words.line(task.reason))
  end,
  blocked = function(_, task)
    return put({}, task.cause and "blocked by " .. near({ task.cause }, task.specId) or words.line(task.reason))
  end,
  skipped = function(_, task)
    return put({}, "skipped", words.line(task.reason))
  end,
}

local function of_task(p, node, view)
  local task = p.tasks[node.ref]
  local state = task.state == "done" and #task.stale > 0 and "stale" or task.state
  local details
  if task.isLeaf then
    details = DETAILS[task.state](p, task, view)
  else
    local tally = p.graph.tally[task.id]
    details = { ("%d/%d"):format((tally.done or 0) + (tally.skipped or 0), tally.total or 0) }
  end
  return state, task.number .. " " .. words.line(task.title), details
end

local function of_counts(counts)
  local parts = { ("%d/%d"):format(counts.done + counts.skipped, counts.total) }
  local failed = counts.failed > 0 and counts.failed .. " failed"
  return put(parts, failed, counts.blocked > 0 and counts.blocked .. " blocked")
end

local function state_of_spec(spec)
  local counts = spec.counts
  if spec.status == "generating" then
    return "in_progress"
  elseif counts.failed > 0 then
    return "failed"
  elseif counts.blocked > 0 then
    return "blocked"
  end
  return counts.total > 0 and counts.done + counts.skipped == counts.total and "done" or "pending"
end

local function of_spec(p, node)
  local spec = p.spec[node.ref]
  local details = spec.status == "generating" and { "being written" } or of_counts(spec.counts)
  local text = vim.startswith(spec.title, spec.id) and spec.title or spec.id .. " " .. spec.title
  return state_of_spec(spec), words.line(text), details
end

---@param run specloom.Run
local function of_scope(run)
  return run.scope.kind == "project" and "" or (" %s %s"):format(run.scope.kind, run.scope.id)
end

local RUN_SIGNS = { running = "in_progress", pausing = "in_progress", cancelling = "in_progress", paused = "blocked" }

local function of_project(p, _, view)
  local run = p.run
  local state = run and (RUN_SIGNS[run.state] or run.outcome == "completed" and "done" or "pending") or "pending"
  local what = not run and "no run yet"
    or run.state ~= "finished" and run.state .. of_scope(run)
    or "run " .. (run.outcome == "fault" and "stopped" or run.outcome or "finished")
  local counts = of_counts(p.counts)
  local lasted = run and words.span(run.startedAt, run.endedAt, view.now)
  local parts = put({}, what, p.readOnly and "read only", counts[1], words.money(p.usage), lasted)
  return state, p.name, vim.list_extend(parts, counts, 2)
end

---State, title and details, the most telling first.
---@type table<string, fun(p: specloom.Projection, node: specloom.Node, view: specloom.View): string?, string, string[]>
local TEXTS = {
  project = of_project,
  spec = of_spec,
  task = of_task,
  planning = function(p)
    if p.planning.state == "failed" then
      return "failed", "plan failed", { words.line(p.planning.reason) }
    end
    local writing = vim.tbl_map(function(item)
      return item.path
    end, p.planning.writing)
    local what = p.planning.stage == "tasks" and "deriving tasks" or "planning specs"
    return "in_progress", what, writing
  end,
  approvals = function(p)
    return "waiting", "Waiting for you", { tostring(#p.approvals) }
  end,
  approval = function(p, node, view)
    local asked = vim.iter(p.approvals):find(function(item)
      return item.id == node.ref
    end)
    return "waiting", words.line(asked.subject), put({}, asked.taskId, words.span(asked.askedAt, nil, view.now))
  end,
  agents = function(p)
    return nil, "Agents", { #p.agents > 0 and #p.agents .. " at work" or "idle" }
  end,
  agent = function(p, node)
    local agent = vim.iter(p.agents):find(function(item)
      return item.sessionId == node.ref
    end)
    local usage = p.session[agent.sessionId] and p.session[agent.sessionId].usage
    return "agent", agent.role, put({}, agent.taskId, words.count(agent.turns, "turn"), usage and words.money(usage))
  end,
  session = function(p, node, view)
    local session = p.session[node.ref]
    local ended = session.outcome ~= "" and session.outcome or words.span(session.startedAt, nil, view.now)
    local name = session.parentId and "sub-agent" or ("session %d"):format(session.number)
    return nil, name, put({}, ended, words.count(session.turns, "turn"), session.model)
  end,
  prompt = function(p, node)
    local prompt = vim.iter(p.prompts):find(function(item)
      return item.id == node.ref
    end)
    return "prompt", words.line(prompt.text), { "unheard" }
  end,
  hint = function(_, node)
    return nil, node.ref, {}
  end,
}

local TITLES = {
  project = "SpecloomTitle",
  spec = "SpecloomSpec",
  approvals = "SpecloomWaiting",
  agents = "SpecloomSection",
  hint = "SpecloomDetail",
}
local MUTED = { failed = "SpecloomFailed", blocked = "SpecloomBlocked", stale = "SpecloomStale" }

---One line of the tree.
---@param p specloom.Projection
---@param node specloom.Node
---@param view specloom.View
---@return string text
---@return specloom.Span[]
function M.line(p, node, view)
  local state, title, details = TEXTS[node.kind](p, node, view)
  local spans, text = {}, ("  "):rep(node.depth)
  local function add(part, group)
    spans[#spans + 1] = group and { #text, #text + #part, group } or nil
    text = text .. part
  end
  if node.parent then
    add(sign(view, view.closed[node.id] and "closed" or "open"), M.SIGNS.open[3])
    add(" ")
  elseif node.depth > 0 and node.kind == "task" then
    add("  ")
  end
  if state then
    add(sign(view, state))
    add(" ")
  end
  local room = view.width - words.width(text)
  local detail = joined(details, math.max(math.floor(room * 0.4), room - words.width(title) - 2))
  local title_room = detail == "" and room or room - words.width(detail) - 2
  add(words.fit(title, title_room), TITLES[node.kind] or (state == "skipped" and "SpecloomSkipped" or nil))
  if detail ~= "" then
    add((" "):rep(view.width - words.width(text) - words.width(detail)))
    add(detail, MUTED[state] or "SpecloomDetail")
  end
  return text, spans
end

---@param view specloom.View
---@return fun(kind: string, ref: string, depth: integer, parent: boolean): boolean whether what is below it shows
---@return specloom.Node[]
local function lister(view)
  local nodes = {}
  return function(kind, ref, depth, parent)
    local id = kind .. " " .. ref
    nodes[#nodes + 1] = { id = id, kind = kind, ref = ref, depth = depth, parent = parent }
    return parent and not view.closed[id]
  end,
    nodes
end

local function put_tasks(p, ids, depth, list)
  for _, id in ipairs(ids) do
    local children = p.tasks[id].children
    if list("task", id, depth, #children > 0) then
      put_tasks(p, children, depth + 1, list)
    end
  end
end

---Sessions that led to this one, and those that its agent sent.
local function sessions_of(p, agent)
  local found, now = {}, p.session[agent.sessionId]
  while now do
    table.insert(found, 1, now)
    now = now.previousId and p.session[now.previousId] or nil
  end
  for _, session in ipairs(p.sessions) do
    if session.parentId == agent.sessionId and session.outcome == "" then
      found[#found + 1] = session
    end
  end
  return found
end

local function put_agents(p, list)
  if #p.agents == 0 and #p.prompts == 0 then
    return
  end
  if not list("agents", "", 0, true) then
    return
  end
  local told = {}
  for _, agent in ipairs(p.agents) do
    if list("agent", agent.sessionId, 1, true) then
      for _, session in ipairs(sessions_of(p, agent)) do
        list("session", session.id, 3, false)
      end
    end
    for _, prompt in ipairs(p.prompts) do
      if prompt.agentId == agent.id and not told[prompt.id] then
        told[prompt.id] = true
        list("prompt", prompt.id, 2, false)
      end
    end
  end
  for _, prompt in ipairs(p.prompts) do
    if not told[prompt.id] then
      list("prompt", prompt.id, 1, false)
    end
  end
end

---All lines that show, as nodes.
---@param p specloom.Projection
---@param view specloom.View
---@return specloom.Node[]
function M.nodes(p, view)
  local list, nodes = lister(view)
  list("project", p.id, 0, false)
  if p.planning and p.planning.state ~= "finished" then
    list("planning", p.planning.id, 0, false)
  end
  if #p.approvals > 0 and list("approvals", "", 0, true) then
    for _, asked in ipairs(p.approvals) do
      list("approval", asked.id, 1, false)
    end
  end
  for _, spec in ipairs(p.specs) do
    if list("spec", spec.id, 0, #spec.tops > 0) then
      put_tasks(p, spec.tops, 1, list)
    end
  end
  if #p.specs == 0 and not (p.planning and p.planning.state == "running") then
    list("hint", "No specs yet: r plans them", 0, false)
  end
  put_agents(p, list)
  return nodes
end

return M
