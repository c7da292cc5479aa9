--- `:Specloom {subcommand}`: its words, their completion, and how each becomes an order. Refuses to decide: what cannot
--- be done now is refused by the server, whose reason is shown.
local client = require("specloom.client")
local orders = require("specloom.orders")
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
      orders.task_order(call, method, done)
    end,
  }
end

---@type table<string, specloom.Subcommand>
M.SUBCOMMANDS = {
  plan = {
    args = "[stop | {feedback}]",
    desc = "Turns the requirements into specs and tasks; with words, does it anew and heeds them. `stop` ends it.",
    words = { "stop" },
    run = orders.plan,
  },
  run = {
    args = "[{spec} | {task} | .] [usd=2] [turns=30] [tokens=N] [minutes=N]",
    desc = "Works through everything, a spec or a task, within limits if some are named. `.` is what the cursor is in.",
    words = "scopes",
    run = orders.start_run,
  },
  pause = {
    args = "[now | turn | task]",
    desc = "Pauses at once, after this turn (so without a word) or after this task.",
    words = { "now", "turn", "task" },
    run = orders.pause,
  },
  resume = {
    args = "",
    desc = "Goes on with a paused run.",
    run = function(call)
      orders.order(call, "specloom/run/resume", {}, "the run goes on")
    end,
  },
  cancel = {
    args = "",
    desc = "Ends the run; what was done stays.",
    run = function(call)
      orders.order(call, "specloom/run/cancel", {}, "the run ends")
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
      orders.task_order(call, "specloom/task/skip", "skipped", function(words)
        local reason = table.concat(words, " ", 2)
        return reason ~= "" and { reason = reason } or {}
      end)
    end,
  },
  say = {
    args = "[{agent}] [{words}]",
    desc = "Speaks to the agent at work, which hears it at its next turn; without words it asks for them.",
    words = "agents",
    run = orders.speak,
  },
  approve = {
    args = "",
    desc = "Puts the question that waits, with exactly what a yes allows; `:Specloom! approve` lists all in full.",
    run = function(call)
      local approvals = require("specloom.approvals")
      approvals[call.bang and "list" or "choose"](call.connection)
    end,
  },
  grants = { args = "", desc = "What is granted for longer than once, to take it back.", run = orders.grants },
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
      require("specloom.output").open(call.connection, (orders.agent_of(call.connection.projection, call.words[1])))
    end,
  },
  budget = {
    args = "[{spec} | {task} | .]",
    desc = "What a run may use and has used, and what the rest would probably take.",
    words = "scopes",
    run = orders.budget,
  },
  log = { args = "", desc = "The newest facts of the project's log.", run = orders.log },
  status = { args = "", desc = "What goes on, and the newest messages in full.", alone = true, run = show_status },
  start = {
    args = "",
    desc = "Starts the server here, also in a folder without requirements.",
    alone = true,
    run = function()
      local root = root_here()
      if root then
        require("specloom.server").start(root)
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
  if name ~= "stop" and not require("specloom.server").start(root) then
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
