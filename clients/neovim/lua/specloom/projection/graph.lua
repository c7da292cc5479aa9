--- What a task's state means for others: followers get ready, parents and specs count.
--- Refuses to order tasks; that is the server's.
local M = {}

---@class specloom.Graph
---@field followers table<string, string[]> Leaves and groups that wait for a leaf or a group.
---@field missing table<string, integer> How many of what it waits for are not satisfied.
---@field held table<string, true> Pending though nothing is missing: their dependencies are faulty.
---@field tally table<string, table<string, integer>> Of each parent: leaves that make it done, by state.

local SATISFIED = { done = true, skipped = true }
local FIRST_SEEN = { "in_progress", "failed", "blocked", "ready" }
local OPEN = { pending = true, ready = true, in_progress = true }

local function group(id)
  return "group " .. id
end

local function link(g, node, waits)
  for _, before in ipairs(waits) do
    local list = g.followers[before] or {}
    g.followers[before] = list
    list[#list + 1] = node
  end
  g.missing[node] = (g.missing[node] or 0) + #waits
end

---Goes on to whoever waits for `node`, which is satisfied or no longer so; calls `seen` with each leaf that did.
local function spread(g, tasks, node, satisfied, seen)
  local changed = { node }
  for _, at in ipairs(changed) do
    for _, follower in ipairs(g.followers[at] or {}) do
      local before = g.missing[follower]
      local now = before + (satisfied and -1 or 1)
      g.missing[follower] = now
      if tasks[follower] then
        seen(tasks[follower])
      elseif before == 0 or now == 0 then
        changed[#changed + 1] = follower
      end
    end
  end
end

---@param visit fun(parent: specloom.TaskNode, counts: boolean) and whether the leaf counts for it
local function each_parent(tasks, leaf, visit)
  local parent = tasks[leaf.parent]
  while parent do
    visit(parent, parent.optional or not leaf.optional)
    parent = tasks[parent.parent]
  end
end

local function none()
  return 0
end

---@param listed specloom.TaskNode[]
---@param tasks table<string, specloom.TaskNode>
---@param groups specloom.DependencyGroup[]
---@return specloom.Graph
function M.new(listed, tasks, groups)
  local g = { followers = {}, missing = {}, held = {}, tally = {} }
  for _, found in ipairs(groups) do
    link(g, group(found.id), found.taskIds)
    link(g, group(found.id), vim.tbl_map(group, found.groups))
  end
  for _, task in ipairs(listed) do
    if task.isLeaf then
      link(g, task.id, task.dependsOn)
      link(g, task.id, vim.tbl_map(group, task.dependsOnGroups))
    else
      g.tally[task.id] = vim.defaulttable(none)
    end
  end
  for _, task in ipairs(listed) do
    if task.isLeaf then
      each_parent(tasks, task, function(parent, counts)
        local tally, by = g.tally[parent.id], counts and 1 or 0
        tally[task.state], tally.total = tally[task.state] + by, tally.total + by
      end)
      if SATISFIED[task.state] then
        spread(g, tasks, task.id, true, function() end)
      end
    end
  end
  for _, task in ipairs(listed) do
    g.held[task.id] = task.isLeaf and task.state == "pending" and g.missing[task.id] == 0 or nil
  end
  return g
end

---@return string state of a parent
local function summed(tally)
  if tally.total > 0 and tally.done + tally.skipped == tally.total then
    return "done"
  end
  return vim.iter(FIRST_SEEN):find(function(state)
    return tally[state] > 0
  end) or "pending"
end

local function count(counts, state, by)
  local kind = OPEN[state] and "pending" or state
  counts[kind] = counts[kind] + by
end

---Gives one leaf another state, wherever it counts.
---@param p specloom.Projection
---@param leaf specloom.TaskNode
local function enter(p, leaf, state, change)
  local before = leaf.state
  leaf.state = state
  p.working[leaf.id] = state == "in_progress" or nil
  change.ids[leaf.id] = true
  if before == state then
    return
  end
  each_parent(p.tasks, leaf, function(parent, counts)
    local tally, by = p.graph.tally[parent.id], counts and 1 or 0
    tally[before], tally[state] = tally[before] - by, tally[state] + by
    parent.state = summed(tally)
    change.ids[parent.id] = true
  end)
  if not leaf.optional then
    for _, counts in ipairs({ p.counts, p.spec[leaf.specId].counts }) do
      count(counts, before, -1)
      count(counts, state, 1)
    end
    change.ids[leaf.specId] = true
    change.top = true
  end
end

local function open_state(g, leaf)
  return g.missing[leaf.id] == 0 and not g.held[leaf.id] and "ready" or "pending"
end

---Moves a leaf to another state; `pending` is `ready` where nothing is left to wait for.
---@param p specloom.Projection
---@param leaf specloom.TaskNode
---@param state string
---@param change specloom.Change
function M.move(p, leaf, state, change)
  local g, before = p.graph, leaf.state
  if not leaf.isLeaf then
    change.again = true
    return
  end
  enter(p, leaf, state == "pending" and open_state(g, leaf) or state, change)
  local satisfied = SATISFIED[leaf.state] == true
  if satisfied == (SATISFIED[before] == true) then
    return
  end
  spread(g, p.tasks, leaf.id, satisfied, function(follower)
    change.ids[follower.id] = true
    if follower.state == "pending" or follower.state == "ready" then
      enter(p, follower, open_state(g, follower), change)
    end
  end)
end

return M
