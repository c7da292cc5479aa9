--- What the subcommands order, from words as they are typed. Refuses to decide: the server's refusals are shown.
local tell = require("specloom.tell")

local M = {}

---@param call specloom.Call
---@param method string
---@param params table
---@param done string
function M.order(call, method, params, done)
  call.connection:order(method, params, function(refused)
    if refused then
      return tell.warn(refused)
    end
    tell.echo(done)
  end)
end

--- The task of the cursor's line in a spec, else that spec.
---@param p specloom.Projection
---@return table? scope
local function under_cursor(p)
  local uri = vim.uri_from_bufnr(0)
  local line = vim.api.nvim_win_get_cursor(0)[1] - 1
  local best
  for _, spec in ipairs(p.specs) do
    if spec.uri == uri then
      for _, task in pairs(p.tasks) do
        if task.specId == spec.id and task.line <= line and (not best or task.line > best.line) then
          best = task
        end
      end
      return best and { kind = "task", id = best.id } or { kind = "spec", id = spec.id }
    end
  end
end

---@param call specloom.Call
---@param word string? a spec, a task, `.` for the cursor's, nothing for the project
---@return table? scope
function M.scope(call, word)
  local p = call.connection.projection ---@cast p -?
  if not word then
    return { kind = "project" }
  elseif word == "." then
    local found = under_cursor(p)
    if not found then
      tell.warn("the cursor is in no spec; name a spec or a task")
    end
    return found
  elseif p.tasks[word] then
    return { kind = "task", id = word }
  elseif p.spec[word] then
    return { kind = "spec", id = word }
  end
  tell.warn(("there is no spec or task %q; <Tab> completes those that are"):format(word))
end

---@param call specloom.Call
---@param method string
---@param done string
---@param more? fun(words: string[]): table
function M.task_order(call, method, done, more)
  local found = M.scope(call, call.words[1] or ".")
  if found and found.kind ~= "task" then
    return tell.warn("name a task, or go to its line in the spec")
  elseif found then
    M.order(
      call,
      method,
      vim.tbl_extend("error", { taskId = found.id }, more and more(call.words) or {}),
      done .. " " .. found.id
    )
  end
end

local LIMITS = { usd = true, tokens = true, turns = true, minutes = true }

--- Words such as `usd=2` are limits; the other one is the scope.
---@param words string[]
---@return table? budget
---@return string? scope
local function run_words(words)
  local budget, word = {}, nil
  for _, each in ipairs(words) do
    local key, value = each:match("^(%a+)=(.+)$")
    if key and (not LIMITS[key] or not tonumber(value)) then
      tell.warn(("%q is no limit; write usd=2, tokens=500000, turns=30 or minutes=15"):format(each))
      return nil
    elseif key then
      budget[key] = tonumber(value)
    else
      word = each
    end
  end
  return vim.tbl_isempty(budget) and vim.empty_dict() or budget, word
end

---@param call specloom.Call
function M.start_run(call)
  local budget, word = run_words(call.words)
  local found = budget and M.scope(call, word)
  if found then
    M.order(call, "specloom/run/start", { scope = found, budget = budget }, "the run has started")
  end
end

---@param call specloom.Call
function M.plan(call)
  if call.words[1] == "stop" and #call.words == 1 then
    return M.order(call, "specloom/spec/cancel", {}, "the plan stops")
  end
  M.order(call, "specloom/spec/generate", call.rest ~= "" and { feedback = call.rest } or {}, "the plan has started")
end

local WHEN = { now = "now", turn = "afterTurn", task = "afterTask" }

---@param call specloom.Call
function M.pause(call)
  local when = WHEN[call.words[1] or "turn"]
  if not when then
    return tell.warn("pause now, after this turn or after this task: :Specloom pause now|turn|task")
  end
  M.order(call, "specloom/run/pause", { when = when }, "the run pauses")
end

--- The agent that is meant: the named one, else the one that works.
---@param p specloom.Projection
---@param word string?
---@return string? id
---@return boolean named
function M.agent_of(p, word)
  for _, agent in ipairs(p.agents) do
    if agent.id == word then
      return agent.id, true
    end
  end
  return p.agents[1] and p.agents[1].id, false
end

---@param call specloom.Call
function M.speak(call)
  local id, named = M.agent_of(call.connection.projection, call.words[1])
  if not id then
    return tell.warn("no agent is at work; start a run, then speak to it")
  end
  local text = named and vim.trim(call.rest:sub(#call.words[1] + 1)) or call.rest
  if text == "" then
    return require("specloom.output").say(call.connection, nil, id)
  end
  M.order(call, "specloom/agent/prompt", { agentId = id, text = text }, "the agent hears it at its next turn")
end

---@param call specloom.Call
function M.budget(call)
  local found = M.scope(call, call.words[1])
  if found then
    require("specloom.budget").show(call.connection, found)
  end
end

---@param call specloom.Call
function M.log(call)
  local connection = call.connection
  local since = math.max(0, connection.seq - 300)
  connection:request("specloom/events/list", { since = since, limit = 300 }, function(refused, result)
    if refused or not result then
      return tell.warn(refused or "")
    end
    local lines = {}
    for _, event in ipairs(result.events) do
      local about = event.taskId or event.specId or event.runId or ""
      local why = event.reason and event.reason ~= "" and event.reason or event.path or ""
      lines[#lines + 1] = vim.trim(
        ("%6d %s %-18s %-8s %s"):format(event.seq, event.at:sub(12, 19), event.type, about, (why:gsub("\n", " ")))
      )
    end
    local buf = require("specloom.page").show("log", lines, "specloom-log")
    vim.api.nvim_win_set_cursor(vim.fn.bufwinid(buf), { math.max(1, #lines), 0 })
  end)
end

---@param call specloom.Call
function M.grants(call)
  call.connection:request("specloom/grant/list", vim.empty_dict(), function(refused, result)
    local held = result and result.grants or {}
    if refused or #held == 0 then
      return refused and tell.warn(refused) or tell.info("nothing is granted for longer than once")
    end
    vim.ui.select(held, {
      prompt = "Take a grant back",
      format_item = function(grant)
        return ("%s (%s)"):format(grant.text:gsub("\n", " ⏎ "), grant.taskId or grant.scope)
      end,
    }, function(grant)
      if grant then
        M.order(call, "specloom/grant/revoke", { grantId = grant.id }, "the grant is taken back")
      end
    end)
  end)
end

return M
