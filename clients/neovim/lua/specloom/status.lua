--- What goes on, in a few words: the statusline component, notices of what ends or waits, and `User` autocommands.
--- Refuses to compute anything while nothing changes.
local client = require("specloom.client")

local M = {}

-- The server gives a sign of life every 15 seconds.
local SILENT_MS = 50000
local TICK_MS = 100

---@type table<string, string> what the statusline shows, by root
local texts = {}
---@type table<string, boolean> roots that changed since the last tick
local changed = {}
local due = false
---@type table<string, integer> time of the last sign of life, by root
local heard = {}
---@type table<string, true> roots of which was told that a run goes on
local greeted = {}

local SIGNS = {
  unicode = {
    running = "▶",
    pausing = "⏸",
    paused = "⏸",
    cancelling = "■",
    waiting = "?",
    failed = "✗",
    lost = "!",
    done = "✓",
  },
  ascii = {
    running = ">",
    pausing = "=",
    paused = "=",
    cancelling = "x",
    waiting = "?",
    failed = "x",
    lost = "!",
    done = "+",
  },
}

---@param usage specloom.Usage?
---@return string?
local function money(usage)
  local cost = usage and usage.costUsd
  return cost and cost > 0 and ("$%.2f"):format(cost) or nil
end

---@param p specloom.Projection
---@return string?
local function at_work(p)
  for _, agent in ipairs(p.agents) do
    if agent.taskId then
      return agent.taskId
    end
  end
end

---@param p specloom.Projection
---@return string[]
local function of_run(p, signs)
  local run = p.run
  local parts = {}
  if p.planning and p.planning.state == "running" then
    local spec = p.planning.writing[#p.planning.writing]
    parts = { signs.running .. " planning", spec and spec.specId or nil }
  elseif run and run.state ~= "finished" then
    parts = { signs[run.state] .. " " .. run.state }
    parts[#parts + 1] = at_work(p)
    local total = p.counts.total
    parts[#parts + 1] = total > 0 and ("%d%%"):format(math.floor(100 * (p.counts.done + p.counts.skipped) / total))
      or nil
    parts[#parts + 1] = money(run.usage)
  elseif p.counts.total > 0 then
    local bad = p.counts.failed + p.counts.blocked
    parts = { ("%s %d/%d"):format(bad > 0 and signs.failed or signs.done, p.counts.done, p.counts.total) }
    parts[#parts + 1] = bad > 0 and ("%d failed or blocked"):format(bad) or nil
  end
  return parts
end

---@param connection specloom.Connection
---@return string
local function compose(connection)
  local signs = SIGNS[require("specloom.config").get().icons]
  local p = connection.projection
  if connection.state == "gone" then
    return signs.lost .. " Specloom is not running"
  elseif not p then
    return connection.state == "refused" and signs.lost .. " Specloom" or ""
  end
  local parts = of_run(p, signs)
  if #p.approvals > 0 then
    table.insert(parts, 1, ("%s%d"):format(signs.waiting, #p.approvals))
  end
  local silent = heard[connection.root] and vim.uv.now() - heard[connection.root] > SILENT_MS
  if silent or (connection.health and connection.health.status ~= "ok") then
    table.insert(parts, 1, signs.lost)
  end
  return table.concat(parts, " ")
end

--- The component, for 'statusline' or any plugin that shows one: state, task, percentage and cost.
---@param buf? integer
---@return string
function M.component(buf)
  local connection = client.of(buf)
  return connection and texts[connection.root] or ""
end

---@param name string
---@param connection specloom.Connection
---@param data? table
local function announce(name, connection, data)
  data = vim.tbl_extend("force", { root = connection.root }, data or {})
  vim.api.nvim_exec_autocmds("User", { pattern = "Specloom" .. name, modeline = false, data = data })
end

local function tick()
  due = false
  local roots = changed
  changed = {}
  for _, connection in ipairs(client.all()) do
    local text = roots[connection.root] and compose(connection)
    if text and text ~= texts[connection.root] then
      texts[connection.root] = text
      vim.cmd.redrawstatus({ bang = true })
      announce("Status", connection, { text = text })
    end
  end
end

---@param connection specloom.Connection
local function touch(connection)
  changed[connection.root] = true
  if not due then
    due = true
    vim.defer_fn(tick, TICK_MS)
  end
end

---@param text string
---@param bad? boolean
local function notice(text, bad)
  if require("specloom.config").get().notify then
    require("specloom.tell")[bad and "warn" or "info"](text)
  end
end

local RUN = {
  runStarted = "running",
  runPausing = "pausing",
  runPaused = "paused",
  runResumed = "running",
  runCancelling = "cancelling",
  runFinished = "finished",
}
local TASK = {
  taskStarted = "in_progress",
  taskDone = "done",
  taskFailed = "failed",
  taskBlocked = "blocked",
  taskUnblocked = "pending",
  taskSkipped = "skipped",
  taskReset = "pending",
  taskRetried = "pending",
}

---@param connection specloom.Connection
---@param event specloom.WireEvent
local function tell(connection, event)
  local p = connection.projection
  local run, task = RUN[event.type], TASK[event.type]
  local reason = event.reason and event.reason ~= "" and event.reason or nil
  if event.type == "runFinished" then
    local counts = ("%d of %d tasks done"):format(p.counts.done, p.counts.total)
    local fine = event.outcome == "completed"
    local outcome = fine and "" or (" (%s)"):format(reason or event.outcome)
    notice(("the run is over: %s%s"):format(counts, outcome), not fine)
  elseif event.type == "runPaused" then
    notice(("the run is paused%s; :Specloom resume goes on"):format(reason and ": " .. reason or ""))
  elseif event.type == "planFinished" then
    notice("the plan is whole; :Specloom tree shows it, :Specloom run works through it")
  elseif event.type == "planFailed" then
    notice("the plan failed: " .. (reason or "no reason was given"), true)
  end
  if run then
    announce("Run", connection, { state = run, reason = reason, run = event.runId })
  elseif task then
    announce("Task", connection, { state = task, reason = reason, task = event.taskId })
  elseif event.type == "approvalAsked" then
    announce("Asked", connection, { approval = event.approvalId })
  elseif event.type == "approvalAnswered" then
    announce("Answered", connection, { approval = event.approvalId, allowed = event.allowed })
  end
end

---@param connection specloom.Connection
local function greet(connection)
  local p = connection.projection
  if greeted[connection.root] or not p then
    return
  end
  greeted[connection.root] = true
  local run = p.run
  if run and run.state ~= "finished" then
    local counts = ("%d of %d tasks done"):format(p.counts.done, p.counts.total)
    local why = run.reason ~= "" and (" (%s)"):format(run.reason) or ""
    notice(("a run is %s here%s, %s; :Specloom tree shows it"):format(run.state, why, counts))
  elseif #p.specs == 0 and not (p.planning and p.planning.state == "running") then
    notice(":Specloom plan turns the requirements into specs and tasks")
  end
end

function M.begin()
  for _, kind in ipairs({ "snapshot", "event", "health", "state" }) do
    client.on(kind, function(connection, _, change)
      if kind ~= "state" then
        heard[connection.root] = vim.uv.now()
      end
      -- Most events say nothing that the statusline shows.
      if not change or change.top or change.shape or next(change.ids) then
        touch(connection)
      end
    end)
  end
  client.on("event", tell)
  client.on("snapshot", greet)
  client.on("state", function(connection, state)
    announce(state == "live" and "Attached" or state == "gone" and "Gone" or "State", connection, { state = state })
    if state == "refused" then
      notice(connection.reason, true)
    end
  end)
end

return M
