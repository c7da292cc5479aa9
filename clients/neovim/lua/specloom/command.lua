--- `:Specloom {subcommand}`: finds the project that it is for, and what completes its words. Refuses to decide: what
--- cannot be done now is refused by the server, whose reason is shown.
local client = require("specloom.client")
local orders = require("specloom.orders")
local tell = require("specloom.tell")

local M = {}

local WAIT_MS = 60000

-- What completes the first word.
local COMPLETED = {
  plan = { "stop" },
  pause = { "now", "turn", "task" },
  run = "scopes",
  budget = "scopes",
  retry = "tasks",
  unblock = "tasks",
  reset = "tasks",
  skip = "tasks",
  say = "agents",
  output = "agents",
}

--- Goes on once the project is known, without stopping anything; forgets it where that takes too long.
---@param root string
---@param go fun(connection: specloom.Connection)
local function when_known(root, go)
  local over = false
  client.known(root, function(connection)
    if not over then
      over = true
      go(connection)
    end
  end)
  if not over then
    tell.echo("the server starts…")
    vim.defer_fn(function()
      if not over then
        over = true
        tell.warn("the server did not tell of the project in time; :checkhealth specloom looks for the cause")
      end
    end, WAIT_MS)
  end
end

--- What `:Specloom` does.
---@param call vim.api.keyset.create_user_command.command_args
function M.run(call)
  local name, rest = call.args:match("^(%S*)%s*(.-)%s*$")
  name = name ~= "" and name or "tree"
  local made = { words = vim.split(rest, "%s+", { trimempty = true }), rest = rest, bang = call.bang } ---@type specloom.Call
  if orders.ALONE[name] then
    return orders.ALONE[name](made)
  elseif not orders.OF_PROJECT[name] then
    return tell.warn(("there is no subcommand %q; :Specloom help has them all"):format(name))
  end
  local connection, why = client.of(0)
  local root = connection and connection.root or require("specloom.root").of(0)
  if not root then
    tell.warn(why)
  elseif require("specloom.server").start(root) then
    when_known(root, function(known)
      made.connection = known
      orders.OF_PROJECT[name](made)
    end)
  end
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
  local function ids(items)
    return vim.tbl_map(function(item)
      return item.id
    end, items)
  end
  if kind == "agents" then
    return ids(p.agents)
  end
  local tasks = ids(vim.tbl_filter(function(task)
    return task.isLeaf
  end, vim.tbl_values(p.tasks)))
  table.sort(tasks)
  return kind == "tasks" and tasks or vim.list_extend(vim.list_extend(ids(p.specs), { "." }), tasks)
end

--- Completion of subcommands, and of their specs, tasks and agents.
---@param lead string
---@param line string
---@param cursor integer bytes before it
---@return string[]
function M.complete(lead, line, cursor)
  -- The command may be cut short, and stand behind modifiers.
  local before = line:sub(1, cursor - #lead):gsub("^.-%f[%u]S%l*!?%s*", "")
  local name = before:match("^(%S+)%s")
  local found = {}
  if not name then
    found = vim.list_extend(vim.tbl_keys(orders.ALONE), vim.tbl_keys(orders.OF_PROJECT))
    table.sort(found)
  elseif not before:match("^%S+%s+%S") then
    found = candidates(COMPLETED[name])
  end
  return vim.tbl_filter(function(word)
    return vim.startswith(word, lead)
  end, found)
end

return M
