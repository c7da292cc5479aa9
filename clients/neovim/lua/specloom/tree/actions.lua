--- What can be done with a node, as orders to the server, which alone decides whether it may be done.
--- Refuses keys.
local is_active = require("specloom.projection").is_active
local page = require("specloom.page")
local places = require("specloom.tree.places")
local tell = require("specloom.tell")

local M = {}

---@param p specloom.Projection
---@return boolean
local function is_planning(p)
  return p.planning ~= nil and p.planning.state == "running"
end

---@param node specloom.Node
---@return table scope of a run
local function scope_of(node)
  local task = node.item.taskId
  if node.kind == "task" or node.kind == "spec" then
    return { kind = node.kind, id = node.item.id }
  end
  return task and { kind = "task", id = task } or { kind = "project" }
end

---Runs what the node stands for: plans where there are no specs, goes on with a paused run, retries what failed.
---@param tree specloom.Tree
---@param node specloom.Node
function M.run(tree, node)
  local connection = tree.connection
  local p = connection.projection ---@cast p -?
  if #p.specs == 0 then
    return connection:order("specloom/spec/generate", {})
  elseif p.run and p.run.state == "paused" then
    return connection:order("specloom/run/resume", {})
  end
  local function start()
    connection:order("specloom/run/start", { scope = scope_of(node) })
  end
  local task = node.item
  if node.kind ~= "task" or not task.isLeaf or (task.state ~= "failed" and task.state ~= "blocked") then
    return start()
  end
  connection:order("specloom/task/retry", { taskId = task.id }, function(refused)
    if refused then
      tell.warn(refused)
    elseif not is_active(p) then
      start()
    end
  end)
end

---Stops the plan or the run.
---@param tree specloom.Tree
function M.stop(tree)
  local planning = is_planning(tree.connection.projection)
  tree.connection:order(planning and "specloom/spec/cancel" or "specloom/run/cancel", {})
end

---Lines in a window of their own, above the others, without going there.
---@param text string
---@param kind string file type
local function float(text, kind)
  local frame = { border = "rounded", focus_id = "specloom", max_width = 100 }
  vim.lsp.util.open_floating_preview(vim.split(text, "\n"), kind, frame)
end

---@param connection specloom.Connection
---@param task specloom.TaskNode
local function show_changes(connection, task)
  connection:request("specloom/changeset/get", { taskId = task.id }, function(refused, result)
    if refused or not result then
      return tell.warn(refused or "")
    end
    local lines = result.diff ~= "" and vim.split(result.diff, "\n") or { "No changes are recorded." }
    page.show("changes/" .. task.id, lines, "diff")
  end)
end

---Tells about a node without leaving it; of a task the server says all, with its proof.
---@param tree specloom.Tree
---@param node specloom.Node
function M.preview(tree, node)
  local p, item = tree.connection.projection, node.item ---@cast p -?
  if node.kind == "task" then
    local place = assert(places.of(p, node))
    local at = { textDocument = { uri = place.uri }, position = { line = place.line, character = 0 } }
    return tree.connection:request("textDocument/hover", at, function(refused, hover)
      float(hover and hover.contents.value or refused or "Nothing is known of it yet.", "markdown")
    end)
  elseif node.kind == "spec" then
    local path = vim.uri_to_fname(item.uri)
    local lines = vim.uv.fs_stat(path) and vim.fn.readfile(path, "", 40) or { "It is not on disk." }
    return float(table.concat(lines, "\n"), "markdown")
  end
  local reason = node.kind == "project" and p.run and p.run.reason or item.reason
  local text = node.kind == "approval" and item.purpose .. "\n" .. item.subject or reason
  if text and text ~= "" then
    float(text, "text")
  end
end

-- As the server's table of states has it, so that a menu names nothing that is refused at once.
local ORDERS = {
  { "Retry", "retry", { failed = true, blocked = true, skipped = true } },
  { "Unblock", "unblock", { blocked = true } },
  { "Skip", "skip", { pending = true, ready = true, failed = true, blocked = true } },
  { "Reset", "reset", { done = true, failed = true, blocked = true, skipped = true } },
}

-- Leaves that a run would begin with, failed ones after another round of attempts was ordered.
local STARTS = { ready = true, failed = true, blocked = true }
local RUNNABLE = { project = "Run all", spec = "Run spec", task = "Run" }

---The menu of a node: run and stop, what fits its state, and where to go.
---@param connection specloom.Connection
---@param node specloom.Node
---@return { [1]: string, [2]: fun() }[] title, and what it does
function M.of(connection, node)
  local p = connection.projection ---@cast p -?
  local found, task = {}, node.kind == "task" and node.item or nil
  local function put(title, run, ...)
    local given = { ... }
    found[#found + 1] = {
      title,
      function()
        run(unpack(given))
      end,
    }
  end
  local function order(title, method, params)
    put(title, connection.order, connection, method, params)
  end
  local active, planning = is_active(p), is_planning(p)
  local stale = task ~= nil and #task.stale > 0
  local runnable = not task or stale or (task.isLeaf and STARTS[task.state] or not task.isLeaf and task.state ~= "done")
  if RUNNABLE[node.kind] and runnable and not active and not planning then
    local title = #p.specs == 0 and "Plan" or stale and "Verify again" or RUNNABLE[node.kind]
    put(title, M.run, { connection = connection }, node)
  end
  for _, each in ipairs(task and task.isLeaf and ORDERS or {}) do
    if each[3][task.state] then
      order(each[1], "specloom/task/" .. each[2], { taskId = task.id })
    end
  end
  if task and task.state == "done" then
    put("Show proof", M.preview, { connection = connection }, node)
  end
  if task and task.attempts > 0 then
    put("Show changes", show_changes, connection, task)
  end
  if active and p.run.state == "paused" then
    order("Resume run", "specloom/run/resume", {})
  elseif active then
    order("Pause run now", "specloom/run/pause", { when = "now" })
    order("Pause run after this turn", "specloom/run/pause", { when = "afterTurn" })
    order("Pause run after this task", "specloom/run/pause", { when = "afterTask" })
  end
  if active or planning then
    put(planning and "Stop planning" or "Stop run", M.stop, { connection = connection })
  end
  return found
end

return M
