--- What can be done with a node, as orders to the server, which alone decides whether it may be done.
--- Refuses keys.
local is_active = require("specloom.projection").is_active
local page = require("specloom.page")
local places = require("specloom.tree.places")

local M = {}

local MOST_COLUMNS = 76

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
  elseif p.run and (p.run.state == "paused" or p.run.state == "pausing") then
    return connection:order("specloom/run/resume", {})
  end
  local function start()
    connection:order("specloom/run/start", { scope = scope_of(node) })
  end
  local task = node.item
  if node.kind ~= "task" or not task.isLeaf or (task.state ~= "failed" and task.state ~= "blocked") then
    return start()
  end
  connection:order("specloom/task/retry", { taskId = task.id }, function()
    if not is_active(p) then
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

---A text in a window above the others, without going there.
---@param text string
---@param kind string file type
local function float(text, kind)
  local lines, width = vim.split(text, "\n"), 20
  local _, window = vim.lsp.util.open_floating_preview(lines, kind, { border = "rounded", focus_id = "specloom" })
  for _, line in ipairs(lines) do
    width = math.max(width, vim.api.nvim_strwidth(line))
  end
  -- Neovim makes it no wider than the window below, and breaks words.
  vim.wo[window].linebreak, vim.wo[window].breakindent, vim.wo[window].breakindentopt = true, true, "shift:2"
  vim.api.nvim_win_set_config(window, { width = math.min(width, MOST_COLUMNS, vim.o.columns - 4) })
  local height = vim.api.nvim_win_text_height(window, {}).all
  vim.api.nvim_win_set_config(window, { height = math.min(height, vim.o.lines - 6) })
end

---@param connection specloom.Connection
---@param task specloom.TaskNode
local function show_changes(connection, task)
  connection:get("specloom/changeset/get", { taskId = task.id }, function(result)
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
    return tree.connection:get("textDocument/hover", at, function(hover)
      float(hover.contents and hover.contents.value or "Nothing is known of it yet.", "markdown")
    end)
  elseif node.kind == "spec" then
    local path = vim.uri_to_fname(item.uri)
    local lines = vim.uv.fs_stat(path) and vim.fn.readfile(path, "", 40) or { "It is not on disk." }
    return float(table.concat(lines, "\n"), "markdown")
  end
  local reason = node.kind == "project" and p.run and p.run.reason or item.reason
  local text = node.kind == "approval" and item.purpose .. "\n" .. item.subject or reason
  if text and text ~= "" then
    return float(text, "text")
  end
  require("specloom.tell").echo("there is no more to tell")
end

local RUNNABLE = { project = "Run all", spec = "Run spec" }

---@param p specloom.Projection
---@param node specloom.Node
---@return string? title of what runs it, or plans what could be run
local function runs(p, node)
  local idle = not is_active(p) and not is_planning(p)
  return idle and (#p.specs == 0 and "Plan" or RUNNABLE[node.kind]) or nil
end

---What the server would take for a task, by its own table.
---@param p specloom.Projection
---@param task specloom.TaskNode
---@return specloom.TaskOrder[]
local function orders_of(p, task)
  local idle = not is_active(p) and not is_planning(p)
  local doubtful = (#task.stale > 0 or #task.outdated > 0) and task.verifiable
  return vim.tbl_filter(function(order)
    local states = task.isLeaf and order.leafStates or order.groupStates
    local fits = p.spec[task.specId].status == "ready" and vim.list_contains(states, task.state)
    return fits and (idle or not order.idle) and (doubtful or not order.doubtful)
  end, p.taskOrders)
end

---@param p specloom.Projection
---@return { [1]: string, [2]: string, [3]: table }[] title, method and parameters of orders to what goes on
local function steering(p)
  if is_planning(p) then
    return { { "Stop planning", "specloom/spec/cancel", {} } }
  elseif not is_active(p) then
    return {}
  end
  local state, after, found = p.run.state, p.run.pauseAfter, {}
  local function put(fits, title, method, params)
    found[#found + 1] = fits and { title, method, params or {} } or nil
  end
  put(after or state == "paused", "Resume run", "specloom/run/resume")
  put(after or state == "running", "Pause run now", "specloom/run/pause", { when = "now" })
  -- Sooner than it is wanted already.
  put(after == "task" or state == "running", "Pause run after this turn", "specloom/run/pause", { when = "afterTurn" })
  put(state == "running", "Pause run after this task", "specloom/run/pause", { when = "afterTask" })
  put(true, "Stop run", "specloom/run/cancel")
  return found
end

---The menu of a node: run and stop, what fits its state, and what there is to see.
---@param tree specloom.Tree
---@param node specloom.Node
---@return { [1]: string, [2]: fun() }[] title, and what it does
function M.of(tree, node)
  local p, connection, found = tree.connection.projection, tree.connection, {} ---@cast p -?
  local function put(title, run, ...)
    local given = { ... }
    local function act()
      run(unpack(given))
    end
    found[#found + 1] = title and { title, act } or nil
  end
  put(runs(p, node), M.run, tree, node)
  local task = node.kind == "task" and node.item or { attempts = 0 }
  for _, each in ipairs(node.kind == "task" and orders_of(p, task) or {}) do
    local run = each.method == "specloom/run/start"
    put(
      each.title,
      connection.order,
      connection,
      each.method,
      run and { scope = scope_of(node) } or { taskId = task.id }
    )
  end
  put(task.state == "done" and "Show proof", M.preview, tree, node)
  put(task.attempts > 0 and "Show changes", show_changes, connection, task)
  for _, each in ipairs(steering(p)) do
    put(each[1], connection.order, connection, each[2], each[3])
  end
  return found
end

return M
