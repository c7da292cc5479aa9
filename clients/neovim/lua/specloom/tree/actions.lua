--- What can be done with a node, as orders to the server, which alone decides whether it may be done.
--- Refuses keys.
local words = require("specloom.words")

local M = {}

---@class specloom.Action
---@field title string
---@field run fun()

---@param connection specloom.Connection
---@param node specloom.Node
---@return table? scope of a run
local function scope_of(connection, node)
  if node.kind == "task" or node.kind == "spec" then
    return { kind = node.kind, id = node.ref }
  elseif node.kind == "agent" or node.kind == "session" then
    local session = connection.projection.session[node.ref]
    return session and session.taskId and { kind = "task", id = session.taskId } or nil
  end
  return { kind = "project" }
end

local function told(refused)
  if refused then
    vim.notify(refused, vim.log.levels.WARN, { title = "Specloom" })
  end
  return not refused
end

---Runs what the node stands for: plans where there are no specs, goes on with a paused run, retries what failed.
---@param connection specloom.Connection
---@param node specloom.Node
function M.run(connection, node)
  local p = connection.projection ---@cast p -?
  if #p.specs == 0 then
    return connection:order("specloom/spec/generate", vim.empty_dict())
  elseif p.run and p.run.state == "paused" then
    return connection:order("specloom/run/resume", vim.empty_dict())
  end
  local function start()
    connection:order("specloom/run/start", { scope = scope_of(connection, node) })
  end
  local task = node.kind == "task" and p.tasks[node.ref]
  if task and task.isLeaf and (task.state == "failed" or task.state == "blocked") then
    return connection:order("specloom/task/retry", { taskId = task.id }, function(refused)
      if told(refused) and not require("specloom.projection").is_active(p) then
        start()
      end
    end)
  end
  start()
end

---Stops the plan or the run.
---@param connection specloom.Connection
function M.stop(connection)
  local p = connection.projection ---@cast p -?
  local planning = p.planning and p.planning.state == "running"
  connection:order(planning and "specloom/spec/cancel" or "specloom/run/cancel", vim.empty_dict())
end

---Lines in a window of their own, above the others.
---@param lines string[]
---@param kind string file type
local function float(lines, kind)
  vim.lsp.util.open_floating_preview(lines, kind, { border = "rounded", focus_id = "specloom", max_width = 100 })
end

---@param connection specloom.Connection
---@param task specloom.TaskNode
function M.show_changes(connection, task)
  connection:request("specloom/changeset/get", { taskId = task.id }, function(refused, result)
    if told(refused) and result then
      local lines = result.diff ~= "" and vim.split(result.diff, "\n") or { "No changes are recorded." }
      require("specloom.page").show("changes/" .. task.id, lines, "diff")
    end
  end)
end

---@param connection specloom.Connection
---@param task specloom.TaskNode
function M.show_proof(connection, task)
  connection:request("specloom/evidence/get", { taskId = task.id }, function(refused, result)
    if not told(refused) or not result then
      return
    end
    local lines = { ("# %s %s"):format(task.id, result.proven and "is proven" or "is not proven") }
    for _, found in ipairs(result.evidence) do
      lines[#lines + 1] = ("- %s, %s"):format(found.kind, found.at)
      lines[#lines + 1] = found.command ~= "" and ("  `%s` exited with %s"):format(found.command, found.exitCode) or nil
      vim.list_extend(lines, found.summary ~= "" and vim.split(found.summary, "\n") or {})
      if found.discriminating == false then
        lines[#lines + 1] = "  It passed before the attempt, too."
      end
    end
    for _, path in ipairs(result.stale) do
      lines[#lines + 1] = "- changed since: " .. path
    end
    float(lines, "markdown")
  end)
end

local function fields(lines, name, values)
  for _, value in ipairs(values) do
    lines[#lines + 1] = ("- %s: %s"):format(name, value)
  end
end

---@param p specloom.Projection
---@param task specloom.TaskNode
---@return string[] markdown
local function about_task(p, task)
  local lines = { ("# %s %s"):format(task.id, task.title), "", "- state: " .. task.state:gsub("_", " ") }
  fields(lines, "reason", task.reason ~= "" and { words.line(task.reason) } or {})
  if task.attempts > 0 then
    local turns, cost = words.count(task.turns, "turn"), words.money(task.usage) or "no known cost"
    fields(lines, "attempts", { ("%d, %s, %s"):format(task.attempts, turns, cost) })
  end
  fields(lines, "changed since its proof", task.stale)
  for _, id in ipairs(task.requirements) do
    local found = p.requirements[id]
    fields(lines, "serves", { found and ("%s: %s"):format(id, words.line(found.text)) or id })
  end
  for _, id in ipairs(task.dependsOn) do
    fields(lines, "waits for", { ("%s (%s)"):format(id, p.tasks[id] and p.tasks[id].state or "gone") })
  end
  for _, command in ipairs(task.verify) do
    fields(lines, "verify", { "`" .. command .. "`" })
  end
  return lines
end

---Tells about a node without leaving it.
---@param connection specloom.Connection
---@param node specloom.Node
function M.preview(connection, node)
  local p = connection.projection ---@cast p -?
  if node.kind == "task" then
    return float(about_task(p, p.tasks[node.ref]), "markdown")
  elseif node.kind == "approval" then
    for _, asked in ipairs(p.approvals) do
      if asked.id == node.ref then
        float(vim.split(("%s\n%s"):format(asked.purpose, asked.subject), "\n"), "text")
      end
    end
  elseif node.kind == "planning" and p.planning.reason ~= "" then
    float(vim.split(p.planning.reason, "\n"), "text")
  elseif node.kind == "project" and p.run and p.run.reason ~= "" then
    float(vim.split(p.run.reason, "\n"), "text")
  elseif node.kind == "spec" then
    local path = vim.uri_to_fname(p.spec[node.ref].uri)
    float(vim.uv.fs_stat(path) and vim.fn.readfile(path, "", 40) or { "It is not on disk." }, "markdown")
  end
end

-- As the server's table of states has it, so that a menu names nothing that is refused at once.
local ORDERS = {
  { "Retry", "specloom/task/retry", { failed = true, blocked = true, skipped = true } },
  { "Unblock", "specloom/task/unblock", { blocked = true } },
  { "Skip", "specloom/task/skip", { pending = true, ready = true, failed = true, blocked = true } },
  { "Reset", "specloom/task/reset", { done = true, failed = true, blocked = true, skipped = true } },
}

---@param connection specloom.Connection
---@param node specloom.Node
---@return specloom.Action[]
local function of_task(connection, node)
  local task = connection.projection.tasks[node.ref]
  local found = {}
  for _, order in ipairs(task.isLeaf and ORDERS or {}) do
    if order[3][task.state] then
      found[#found + 1] = {
        title = order[1],
        run = function()
          connection:order(order[2], { taskId = task.id })
        end,
      }
    end
  end
  local function show(title, run)
    found[#found + 1] = {
      title = title,
      run = function()
        run(connection, task)
      end,
    }
  end
  if task.state == "done" then
    show("Show proof", M.show_proof)
  end
  if task.attempts > 0 then
    show("Show changes", M.show_changes)
  end
  return found
end

local RUNNABLE = { project = "Run all", spec = "Run spec", task = "Run" }

---The menu of a node: run and stop, what fits its state, and where to go.
---@param connection specloom.Connection
---@param node specloom.Node
---@return specloom.Action[]
function M.of(connection, node)
  local p = connection.projection ---@cast p -?
  local found = {}
  local function put(title, run)
    found[#found + 1] = { title = title, run = run }
  end
  local function order(title, method, params)
    put(title, function()
      connection:order(method, params or vim.empty_dict())
    end)
  end
  local active = require("specloom.projection").is_active(p)
  local planning = p.planning and p.planning.state == "running"
  local title = RUNNABLE[node.kind]
  if title and not active and not planning then
    local stale = node.kind == "task" and #p.tasks[node.ref].stale > 0
    put(#p.specs == 0 and "Plan" or stale and "Verify again" or title, function()
      M.run(connection, node)
    end)
  end
  if node.kind == "task" then
    vim.list_extend(found, of_task(connection, node))
  end
  if active and p.run.state == "paused" then
    order("Resume run", "specloom/run/resume")
  elseif active then
    order("Pause run now", "specloom/run/pause", { when = "now" })
    order("Pause run after this turn", "specloom/run/pause", { when = "afterTurn" })
    order("Pause run after this task", "specloom/run/pause", { when = "afterTask" })
  end
  if active or planning then
    put(planning and "Stop planning" or "Stop run", function()
      M.stop(connection)
    end)
  end
  return found
end

return M
