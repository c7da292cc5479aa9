--- `:Specloom {subcommand}`: its words, their completion, and how each becomes an order. Refuses to decide: what cannot
--- be done now is refused by the server, whose reason is shown.
local client = require("specloom.client")
local tell = require("specloom.tell")

local M = {}

---@class specloom.Call
---@field words string[] after the subcommand
---@field rest string the same, untouched
---@field bang boolean
---@field connection specloom.Connection

---@class specloom.Subcommand
---@field args string
---@field desc string
---@field words? "scopes"|"tasks"|"agents"|string[] what completes its first word
---@field alone? boolean needs no project
---@field run fun(call: specloom.Call)

local WAIT_MS = 60000

---@param call specloom.Call
---@param method string
---@param params table
---@param done string
local function order(call, method, params, done)
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
local function scope(call, word)
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
local function task_order(call, method, done, more)
  local found = scope(call, call.words[1] or ".")
  if found and found.kind ~= "task" then
    return tell.warn("name a task, or go to its line in the spec")
  elseif found then
    order(call, method, vim.tbl_extend("error", { taskId = found.id }, more and more(call.words) or {}), done .. " " .. found.id)
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
local function start_run(call)
  local budget, word = run_words(call.words)
  local found = budget and scope(call, word)
  if found then
    order(call, "specloom/run/start", { scope = found, budget = budget }, "the run has started")
  end
end

---@param call specloom.Call
local function plan(call)
  if call.words[1] == "stop" and #call.words == 1 then
    return order(call, "specloom/spec/cancel", {}, "the plan stops")
  end
  order(call, "specloom/spec/generate", call.rest ~= "" and { feedback = call.rest } or {}, "the plan has started")
end

local WHEN = { now = "now", turn = "afterTurn", task = "afterTask" }

---@param call specloom.Call
local function pause(call)
  local when = WHEN[call.words[1] or "turn"]
  if not when then
    return tell.warn("pause now, after this turn or after this task: :Specloom pause now|turn|task")
  end
  order(call, "specloom/run/pause", { when = when }, "the run pauses")
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
local function speak(call)
  local id, named = agent_of(call.connection.projection, call.words[1])
  if not id then
    return tell.warn("no agent is at work; start a run, then speak to it")
  end
  local text = named and vim.trim(call.rest:sub(#call.words[1] + 1)) or call.rest
  local function send(words)
    if words and vim.trim(words) ~= "" then
      order(call, "specloom/agent/prompt", { agentId = id, text = words }, "the agent hears it at its next turn")
    end
  end
  if text ~= "" then
    return send(text)
  end
  vim.ui.input({ prompt = "Say to the agent: " }, send)
end

---@param call specloom.Call
local function budget(call)
  local found = scope(call, call.words[1])
  if found then
    require("specloom.budget").show(call.connection, found)
  end
end

---@param call specloom.Call
local function log(call)
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
local function grants(call)
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
        order(call, "specloom/grant/revoke", { grantId = grant.id }, "the grant is taken back")
      end
    end)
  end)
end

local function show_status()
  local connection, why = client.of(0)
  local text = connection and require("specloom.status").component() or why
  local lines = { "# " .. (connection and vim.fn.fnamemodify(connection.root, ":~") or "Specloom"), "" }
  lines[#lines + 1] = text ~= "" and text or "Nothing goes on."
  lines[#lines + 1] = ""
  for _, told in ipairs(tell.kept) do
    vim.list_extend(lines, vim.split("- " .. told:gsub("^Specloom: ", ""), "\n"))
  end
  require("specloom.page").show("status", lines)
end

---@return string? root
local function root_here()
  local root = require("specloom.root")
  local name = vim.api.nvim_buf_get_name(0)
  local connection = client.of(0)
  if connection then
    return connection.root
  end
  local folder = vim.bo.buftype == "" and name ~= "" and vim.fs.dirname(name) or vim.uv.cwd() or "/"
  return root.above(folder) or vim.fs.normalize(folder)
end

---@param method string
---@param done string
---@param desc string
---@return specloom.Subcommand
local function on_task(method, done, desc)
  return {
    args = "[{task}]",
    desc = desc,
    words = "tasks",
    run = function(call)
      task_order(call, method, done)
    end,
  }
end

---@type table<string, specloom.Subcommand>
M.SUBCOMMANDS = {
  plan = {
    args = "[stop | {feedback}]",
    desc = "Turns the requirements into specs and tasks; with words, does it anew and heeds them. `stop` ends it.",
    words = { "stop" },
    run = plan,
  },
  run = {
    args = "[{spec} | {task} | .] [usd=2] [turns=30] [tokens=N] [minutes=N]",
    desc = "Works through everything, a spec or a task, within limits if some are named. `.` is what the cursor is in.",
    words = "scopes",
    run = start_run,
  },
  pause = {
    args = "[now | turn | task]",
    desc = "Pauses at once, after this turn (so without a word) or after this task.",
    words = { "now", "turn", "task" },
    run = pause,
  },
  resume = {
    args = "",
    desc = "Goes on with a paused run.",
    run = function(call)
      order(call, "specloom/run/resume", {}, "the run goes on")
    end,
  },
  cancel = {
    args = "",
    desc = "Ends the run; what was done stays.",
    run = function(call)
      order(call, "specloom/run/cancel", {}, "the run ends")
    end,
  },
  retry = on_task("specloom/task/retry", "another round of attempts for", "Another round of attempts."),
  unblock = on_task("specloom/task/unblock", "no block on", "Lifts a block."),
  reset = on_task("specloom/task/reset", "pending again:", "Pending again; the code stays."),
  skip = {
    args = "[{task} [{reason}]]",
    desc = "Goes without a task; those that wait for it may start.",
    words = "tasks",
    run = function(call)
      task_order(call, "specloom/task/skip", "skipped", function(words)
        local reason = table.concat(words, " ", 2)
        return reason ~= "" and { reason = reason } or {}
      end)
    end,
  },
  say = {
    args = "[{agent}] [{words}]",
    desc = "Speaks to the agent at work, which hears it at its next turn; without words it asks for them.",
    words = "agents",
    run = speak,
  },
  approve = {
    args = "",
    desc = "Puts the question that waits, with exactly what a yes allows; `:Specloom! approve` lists all in full.",
    run = function(call)
      local approvals = require("specloom.approvals")
      return call.bang and approvals.list(call.connection) or approvals.choose(call.connection)
    end,
  },
  grants = { args = "", desc = "What is granted for longer than once, to take it back.", run = grants },
  tree = {
    args = "",
    desc = "Opens or closes the task tree; `?` in it helps.",
    run = function(call)
      require("specloom.tree").toggle(call.connection)
    end,
  },
  output = {
    args = "[{agent}]",
    desc = "What an agent says and does, as it happens.",
    words = "agents",
    run = function(call)
      require("specloom.output").open(call.connection, (agent_of(call.connection.projection, call.words[1])))
    end,
  },
  budget = {
    args = "[{spec} | {task} | .]",
    desc = "What a run may use and has used, and what the rest would probably take.",
    words = "scopes",
    run = budget,
  },
  log = { args = "", desc = "The newest facts of the project's log.", run = log },
  status = { args = "", desc = "What goes on, and the newest messages in full.", alone = true, run = show_status },
  start = {
    args = "",
    desc = "Starts the server here, also in a folder without requirements.",
    alone = true,
    run = function()
      local root = root_here()
      if root then
        require("specloom.server").serve(0, root)
      end
    end,
  },
  stop = {
    args = "",
    desc = "Ends the server in this Neovim; its runs go on.",
    run = function(call)
      require("specloom.server").stop(call.connection.root)
    end,
  },
  restart = {
    args = "",
    desc = "Starts the server anew; its runs go on.",
    alone = true,
    run = function()
      local root = root_here()
      if root then
        require("specloom.server").restart(root)
      end
    end,
  },
  health = {
    args = "",
    desc = "Looks for all that can be wrong.",
    alone = true,
    run = function()
      vim.cmd.checkhealth("specloom")
    end,
  },
  help = {
    args = "",
    desc = "Opens this help.",
    alone = true,
    run = function()
      vim.cmd.help("specloom")
    end,
  },
}

--- Waits until the project is known, without stopping anything.
---@param root string
---@param go fun(connection: specloom.Connection)
local function when_known(root, go)
  local function known()
    for _, connection in ipairs(client.all()) do
      if connection.root == root and connection.projection and connection.state ~= "gone" then
        return connection
      end
    end
  end
  local off, settled
  off = client.on("snapshot", function(connection)
    if connection.root == root and not settled then
      settled = true
      off()
      vim.schedule(function()
        go(connection)
      end)
    end
  end)
  local connection = known()
  if connection then
    settled = true
    off()
    return go(connection)
  end
  tell.echo("the server starts…")
  vim.defer_fn(function()
    if not settled then
      settled = true
      off()
      tell.warn("the server did not tell of the project in time; :checkhealth specloom looks for the cause")
    end
  end, WAIT_MS)
end

--- What `:Specloom` does.
---@param call vim.api.keyset.create_user_command.command_args
function M.run(call)
  local name, rest = call.args:match("^(%S*)%s*(.*)$")
  if name == "" then
    name = "tree"
  end
  local subcommand = M.SUBCOMMANDS[name]
  if not subcommand then
    local known = table.concat(vim.tbl_keys(M.SUBCOMMANDS), ", ")
    return tell.warn(("there is no subcommand %q; there are %s"):format(name, known))
  end
  local words = vim.split(vim.trim(rest), "%s+", { trimempty = true })
  local made = { words = words, rest = vim.trim(rest), bang = call.bang } ---@type specloom.Call
  if subcommand.alone then
    return subcommand.run(made)
  end
  local connection, why = client.of(0)
  local root = connection and connection.root or require("specloom.root").of(0)
  if not root then
    return tell.warn(why)
  end
  if name ~= "stop" and not require("specloom.server").serve(0, root) then
    return tell.warn(select(2, require("specloom.server").command(root)))
  end
  when_known(root, function(known)
    made.connection = known
    subcommand.run(made)
  end)
end

---@param kind string|string[]|nil
---@return string[]
local function candidates(kind)
  local connection = client.of(0)
  local p = connection and connection.projection
  if type(kind) == "table" then
    return kind
  elseif not kind or not p then
    return {}
  end
  local found = {}
  if kind == "agents" then
    for _, agent in ipairs(p.agents) do
      found[#found + 1] = agent.id
    end
    return found
  end
  local tasks = {}
  for id, task in pairs(p.tasks) do
    tasks[#tasks + 1] = task.isLeaf and id or nil
  end
  table.sort(tasks)
  if kind == "scopes" then
    for _, spec in ipairs(p.specs) do
      found[#found + 1] = spec.id
    end
    found[#found + 1] = "."
  end
  return vim.list_extend(found, tasks)
end

--- Completion of subcommands, and of their specs, tasks and agents.
---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local before = line:gsub("^.-Specloom!?%s*", ""):sub(1, -#lead - 1)
  local name = before:match("^(%S+)%s")
  local found = {}
  if not name then
    found = vim.tbl_keys(M.SUBCOMMANDS)
    table.sort(found)
  elseif M.SUBCOMMANDS[name] and not before:match("^%S+%s+%S") then
    found = candidates(M.SUBCOMMANDS[name].words)
  end
  return vim.tbl_filter(function(word)
    return vim.startswith(word, lead)
  end, found)
end

return M
