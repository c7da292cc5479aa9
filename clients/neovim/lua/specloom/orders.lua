--- What the subcommands do, from words as they are typed. Refuses to decide: the server's refusals are shown.
local client = require("specloom.client")
local tell = require("specloom.tell")

local M = {}

---@class specloom.Call
---@field words string[] after the subcommand
---@field rest string the same, untouched
---@field bang boolean
---@field connection specloom.Connection of a subcommand that needs a project

---@param call specloom.Call
---@param method string
---@param params table
---@param done string
local function order(call, method, params, done)
  call.connection:order(method, params, function()
    tell.echo(done)
  end)
end

--- The task of the cursor's line in a spec or in the tree, else that spec.
---@param p specloom.Projection
---@return table? scope
local function under_cursor(p)
  local uri, node = vim.uri_from_bufnr(0), require("specloom.tree").node_here()
  if node and (node.kind == "task" or node.kind == "spec") then
    return { kind = node.kind, id = node.item.id }
  end
  local line = vim.api.nvim_win_get_cursor(0)[1] - 1
  for _, spec in ipairs(p.specs) do
    if spec.uri == uri then
      local best
      for _, task in pairs(p.tasks) do
        if task.specId == spec.id and task.line <= line and (not best or task.line > best.line) then
          best = task
        end
      end
      return best and { kind = "task", id = best.id } or { kind = "spec", id = spec.id }
    end
  end
  tell.warn("the cursor is on no spec and no task; name one")
end

---@param call specloom.Call
---@param word string? a spec, a task, `.` for the cursor's, nothing for the project
---@return table? scope
local function scope_of(call, word)
  if not word then
    return { kind = "project" }
  elseif word == "." then
    return under_cursor(call.connection.projection)
  end
  return { kind = word:find("/") and "task" or "spec", id = word }
end

---@param method string
---@param done string
---@return fun(call: specloom.Call)
local function on_task(method, done)
  return function(call)
    local found = scope_of(call, call.words[1] or ".")
    if found and found.kind ~= "task" then
      return tell.warn("name a task, or go to its line in the spec")
    elseif found then
      local reason = method == "specloom/task/skip" and call.words[2] and table.concat(call.words, " ", 2) or nil
      order(call, method, { taskId = found.id, reason = reason }, done .. " " .. found.id)
    end
  end
end

local LIMITS = { usd = true, tokens = true, turns = true, minutes = true }

--- Words such as `usd=2` are limits; the other one is the scope.
---@param call specloom.Call
local function run(call)
  local budget, word = vim.empty_dict(), nil
  for _, each in ipairs(call.words) do
    local key, value = each:match("^(%a+)=(.+)$")
    if key and not (LIMITS[key] and tonumber(value)) then
      return tell.warn(("%q is no limit; write usd=2, tokens=500000, turns=30 or minutes=15"):format(each))
    elseif key then
      budget[key] = tonumber(value)
    else
      word = each
    end
  end
  local found = scope_of(call, word)
  if found then
    order(call, "specloom/run/start", { scope = found, budget = budget }, "the run has started")
  end
end

---@param call specloom.Call
local function plan(call)
  if call.rest == "stop" then
    return order(call, "specloom/spec/cancel", {}, "the plan stops")
  end
  order(call, "specloom/spec/generate", { feedback = call.rest ~= "" and call.rest or nil }, "the plan has started")
end

local WHEN = { now = "now", turn = "afterTurn", task = "afterTask" }
local PAUSES = { now = "now", afterTurn = "after this turn", afterTask = "after this task" }

---@param call specloom.Call
local function pause(call)
  local when = WHEN[call.words[1] or "turn"]
  if not when then
    return tell.warn("pause now, after this turn or after this task: :Specloom pause now|turn|task")
  end
  local run = call.connection.projection.run
  local was = run and run.state == "paused"
  order(call, "specloom/run/pause", { when = when }, was and "the run is paused" or "the run pauses " .. PAUSES[when])
end

--- The agent that is meant: the named one, else the one that works.
---@param p specloom.Projection
---@param word string?
---@return string? id
---@return boolean named
local function agent_of(p, word)
  for _, agent in ipairs(p.agents) do
    if agent.id == word then
      return agent.id, true
    end
  end
  return p.agents[1] and p.agents[1].id, false
end

---@param call specloom.Call
local function say(call)
  local id, named = agent_of(call.connection.projection, call.words[1])
  if not id then
    return tell.warn("no agent is at work; start a run, then speak to it")
  end
  local text = named and vim.trim(call.rest:sub(#call.words[1] + 1)) or call.rest
  if text == "" then
    require("specloom.output").open(call.connection, id)
    return require("specloom.output.say").open(call.connection, id)
  end
  order(call, "specloom/agent/prompt", { agentId = id, text = text }, "the agent hears it at its next turn")
end

---@param call specloom.Call
local function budget(call)
  local found = scope_of(call, call.words[1])
  if found then
    require("specloom.budget").show(call.connection, found)
  end
end

---@param call specloom.Call
local function grants(call)
  call.connection:get("specloom/grant/list", vim.empty_dict(), function(result)
    local held = result.grants
    if #held == 0 then
      return tell.say("nothing is granted for longer than once")
    end
    local texts = vim.tbl_map(function(grant)
      return ("%s (%s)"):format(grant.text, grant.taskId or grant.scope)
    end, held)
    require("specloom.choice").select(texts, "Take a grant back", "", function(index)
      if index then
        order(call, "specloom/grant/revoke", { grantId = held[index].id }, "the grant is taken back")
      end
    end)
  end)
end

---@param method string
---@param done string
local function simple(method, done)
  return function(call)
    order(call, method, {}, done)
  end
end

--- Subcommands that need a project.
---@type table<string, fun(call: specloom.Call)>
M.OF_PROJECT = {
  plan = plan,
  run = run,
  pause = pause,
  resume = simple("specloom/run/resume", "the run goes on"),
  cancel = simple("specloom/run/cancel", "the run ends"),
  retry = on_task("specloom/task/retry", "another round of attempts for"),
  unblock = on_task("specloom/task/unblock", "no block on"),
  reset = on_task("specloom/task/reset", "pending again:"),
  skip = on_task("specloom/task/skip", "skipped"),
  say = say,
  budget = budget,
  grants = grants,
  approve = function(call)
    local approvals = require("specloom.approvals")
    approvals[call.bang and "list" or "choose"](call.connection)
  end,
  tree = function(call)
    require("specloom.tree").toggle(call.connection)
  end,
  output = function(call)
    require("specloom.output").open(call.connection, (agent_of(call.connection.projection, call.words[1])))
  end,
}

--- A server is started or ended also where there is nothing to do for it.
---@param what "start"|"stop"|"restart"
local function server(what)
  return function()
    local root, connection = require("specloom.root"), client.of(0)
    local folder = root.folder(0)
    require("specloom.server")[what](connection and connection.root or root.above(folder) or vim.fs.normalize(folder))
  end
end

local function status()
  local connection, why = client.of(0)
  local text = connection and require("specloom").statusline() or why
  local lines = { "# " .. (connection and vim.fn.fnamemodify(connection.root, ":~") or "Specloom"), "" }
  vim.list_extend(lines, { text ~= "" and text or "Nothing goes on.", "" })
  for _, told in ipairs(tell.kept) do
    vim.list_extend(lines, vim.split("- " .. told:gsub("^Specloom: ", ""), "\n"))
  end
  require("specloom.page").show("status", lines)
end

local function help()
  if not pcall(vim.cmd.help, "specloom") then
    -- Nobody made tags of a folder that was put on 'runtimepath' by hand.
    vim.cmd.split(vim.fn.fnameescape(vim.api.nvim_get_runtime_file("doc/specloom.txt", false)[1]))
    vim.bo.buftype, vim.bo.filetype, vim.bo.modifiable = "help", "help", false
  end
end

--- Subcommands that need none.
---@type table<string, fun(call: specloom.Call)>
M.ALONE = {
  start = server("start"),
  stop = server("stop"),
  restart = server("restart"),
  status = status,
  health = function()
    vim.cmd.checkhealth("specloom")
  end,
  help = help,
}

return M
