--- What goes on, in a few words: the statusline component, notices of what ends or waits, and `User` autocommands.
--- Refuses to compute anything while nothing changes.
local client = require("specloom.client")
local tick = require("specloom.tick")
local words = require("specloom.words")

local M = {}

---@class specloom.Shown
---@field text string what the statusline shows
---@field greeted boolean? whether it was told that a run goes on

---@type table<string, specloom.Shown> by root
local shown = vim.defaulttable(function()
  return { text = "" }
end)

-- Runs that are not over, by state; all others are paused or soon will be.
local RUNS = { running = "in_progress", cancelling = "blocked" }

---@param name string
local function sign(name)
  local plain = require("specloom.config").get().icons == "ascii"
  return words.SIGNS[name][plain and 2 or 1]
end

---@param p specloom.Projection
---@return string[]
local function of_run(p)
  local run, counts, plan = p.run, p.counts, p.planning
  if plan and plan.state == "running" then
    local spec = plan.writing[#plan.writing]
    return { sign("in_progress") .. " planning", spec and spec.specId }
  elseif run and run.state ~= "finished" then
    local parts = { sign(RUNS[run.state] or "paused") .. " " .. run.state }
    parts[#parts + 1] = p.agents[1] and p.agents[1].taskId
    parts[#parts + 1] = counts.total > 0 and ("%d%%"):format(100 * (counts.done + counts.skipped) / counts.total) or nil
    parts[#parts + 1] = words.money(run.usage)
    return parts
  elseif counts.total == 0 then
    return {}
  end
  local bad = counts.failed + counts.blocked
  local parts = { ("%s %d/%d"):format(sign(bad > 0 and "failed" or "done"), counts.done, counts.total) }
  parts[2] = bad > 0 and ("%d failed or blocked"):format(bad) or nil
  return parts
end

---@param connection specloom.Connection
---@return string
local function compose(connection)
  local p, health = connection.projection, connection.health
  if connection.state == "gone" then
    return "! Specloom is not running"
  elseif not p then
    return connection.state == "refused" and "! Specloom" or ""
  end
  local parts = of_run(p)
  if #p.approvals > 0 then
    table.insert(parts, 1, "?" .. #p.approvals)
  end
  if health and health.status ~= "ok" then
    table.insert(parts, 1, "!")
  end
  return table.concat(parts, " ")
end

--- The component, for 'statusline' or any plugin that shows one: state, task, percentage and cost.
---@param buf? integer
---@return string
function M.component(buf)
  local connection = client.of(buf)
  return connection and shown[connection.root].text or ""
end

---@param name string
---@param connection specloom.Connection
---@param data table
local function announce(name, connection, data)
  data.root = connection.root
  vim.api.nvim_exec_autocmds("User", { pattern = "Specloom" .. name, modeline = false, data = data })
end

--- What the statusline shows, composed anew at the next tick.
local view = { due = false }

function view:draw()
  self.due = false
  for _, connection in ipairs(client.all()) do
    local at, text = shown[connection.root], compose(connection)
    if text ~= at.text then
      at.text = text
      vim.cmd.redrawstatus({ bang = true })
      announce("Status", connection, { text = text })
    end
  end
end

---@param text string
---@param bad? boolean
local function notice(text, bad)
  if require("specloom.config").get().notify then
    require("specloom.tell").say(text, bad and vim.log.levels.WARN or nil)
  end
end

---@param p specloom.Projection
local function done_of(p)
  return ("%d of %d tasks done"):format(p.counts.done, p.counts.total)
end

---@type table<string, fun(event: table, p: specloom.Projection, reason: string?)>
local NOTICES = {
  runFinished = function(event, p, reason)
    local fine = event.outcome == "completed"
    notice(
      ("the run is over: %s%s"):format(done_of(p), fine and "" or (" (%s)"):format(reason or event.outcome)),
      not fine
    )
  end,
  runPaused = function(_, _, reason)
    notice(("the run is paused%s; :Specloom resume goes on"):format(reason and ": " .. reason or ""))
  end,
  planFinished = function()
    notice("the plan is whole; :Specloom run works through it")
  end,
  planFailed = function(_, _, reason)
    notice("the plan failed: " .. (reason or "no reason was given"), true)
  end,
}

---@param connection specloom.Connection
---@param event specloom.WireEvent
---@param change specloom.Change
local function tell(connection, event, change)
  local p = connection.projection ---@cast p -?
  local reason = event.reason ~= "" and event.reason or nil
  if NOTICES[event.type] then
    NOTICES[event.type](event, p, reason)
  end
  local task = p.tasks[event.taskId]
  if p.run and p.run.id == event.runId and vim.startswith(event.type, "run") then
    announce("Run", connection, { state = p.run.state, reason = reason, run = p.run.id })
  elseif task and change.ids[task.id] and vim.startswith(event.type, "task") then
    announce("Task", connection, { state = task.state, reason = reason, task = task.id })
  elseif event.type == "approvalAsked" then
    announce("Asked", connection, { approval = event.approvalId })
  elseif event.type == "approvalAnswered" then
    announce("Answered", connection, { approval = event.approvalId, allowed = event.allowed })
  end
end

---@param connection specloom.Connection
---@param p specloom.Projection
local function greet(connection, p)
  local at, run = shown[connection.root], p.run
  if at.greeted then
    return
  end
  at.greeted = true
  if run and run.state ~= "finished" then
    local why = run.reason ~= "" and (" (%s)"):format(run.reason) or ""
    notice(("a run is %s here%s, %s; :Specloom tree shows it"):format(run.state, why, done_of(p)))
  elseif #p.specs == 0 and not (p.planning and p.planning.state == "running") then
    notice(":Specloom plan writes specs and tasks")
  end
end

function M.begin()
  for _, kind in ipairs({ "snapshot", "event", "health", "state" }) do
    client.on(kind, function(_, _, change)
      -- Most events say nothing that the statusline shows.
      if not change or change.top or change.shape or next(change.ids) then
        tick.soon(view)
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
