-- The plugin's connection without a process at its other end: what a server would say is said by the test, at its pace.
local M = {}

local here = vim.fn.fnamemodify(debug.getinfo(1, "S").source:sub(2), ":p:h")
vim.opt.runtimepath:prepend(vim.fs.normalize(here .. "/../../../clients/neovim"))

---@type { method: string, params: table }[]
M.asked = {}
---What is answered, by method.
M.answers = {}

local seq, dispatch = 0, nil

local function usage()
  return { input = 0, output = 0, cacheRead = 0, cacheWrite = 0, costUsd = 0 }
end
M.usage = usage

local function counts(total)
  return { total = total, done = 0, failed = 0, blocked = 0, skipped = 0, pending = total }
end

local function order(title, method, states, members)
  local made = { title = title, method = method, leafStates = states, groupStates = {}, idle = false, doubtful = false }
  return vim.tbl_extend("force", made, members or {})
end

local ORDERS = {
  order("Verify again", "specloom/run/start", { "done" }, { idle = true, doubtful = true }),
  order("Run", "specloom/run/start", { "ready", "failed" }, { idle = true, groupStates = { "pending", "ready" } }),
  order("Retry", "specloom/task/retry", { "failed", "blocked", "skipped" }),
  order("Skip", "specloom/task/skip", { "pending", "ready", "failed", "blocked" }),
  order("Reset", "specloom/task/reset", { "done", "failed", "blocked", "skipped" }),
}

---A project of so many specs with so many tasks each, in a chain.
function M.project(specs, each, root)
  local p = { id = "p1", name = "greeter", rootUri = vim.uri_from_fname(root), seq = 0, readOnly = false }
  for _, name in ipairs({
    "requirements",
    "specs",
    "tasks",
    "dependencyGroups",
    "agents",
    "sessions",
    "approvals",
    "prompts",
  }) do
    p[name] = {}
  end
  p.taskOrders, p.work = ORDERS, { seconds = 50 }
  p.usage, p.counts, p.budget, p.problems =
    usage(), counts(specs * each), vim.empty_dict(), { error = 0, warning = 0, information = 0 }
  for s = 1, specs do
    local id = ("%02d"):format(s)
    local path = ("specs/%s-part.md"):format(id)
    local uri = vim.uri_from_fname(root .. "/" .. path)
    p.specs[s] = {
      id = id,
      title = "Part " .. s,
      path = path,
      uri = uri,
      status = "ready",
      dependsOn = {},
      requirements = {},
      counts = counts(each),
    }
    for t = 1, each do
      p.tasks[#p.tasks + 1] = {
        id = ("%s/%d"):format(id, t),
        specId = id,
        number = tostring(t),
        title = ("Build piece %d of part %d"):format(t, s),
        state = t == 1 and "ready" or "pending",
        reason = "",
        proven = false,
        wasProven = false,
        stale = {},
        outdated = {},
        verifiable = false,
        attempts = 0,
        isLeaf = true,
        optional = false,
        requirements = {},
        dependsOn = t > 1 and { ("%s/%d"):format(id, t - 1) } or {},
        dependsOnGroups = {},
        verify = {},
        line = t,
        turns = 0,
        usage = usage(),
        worked = 0,
      }
    end
  end
  return p
end

---Starts a client whose server is this file.
---@param snapshot table
---@param root string
---@return specloom.Connection
function M.start(snapshot, root)
  local client = require("specloom.client")
  M.answers["specloom/project/get"] = snapshot
  M.answers["specloom/events/subscribe"] = { seq = snapshot.seq, projectId = snapshot.id }
  seq = snapshot.seq
  vim.lsp.start({
    name = "specloom",
    root_dir = root,
    handlers = client.HANDLERS,
    on_init = client.attach,
    cmd = function(dispatchers)
      dispatch = dispatchers
      local ended = false
      return {
        request = function(method, params, callback)
          M.asked[#M.asked + 1] = { method = method, params = params }
          local answer = method == "initialize" and { capabilities = vim.empty_dict() } or M.answers[method]
          vim.schedule(function()
            callback(nil, type(answer) == "function" and answer(params) or vim.deepcopy(answer) or {})
          end)
          return true, #M.asked
        end,
        notify = function()
          return true
        end,
        is_closing = function()
          return ended
        end,
        terminate = function()
          ended = true
        end,
      }
    end,
  })
  assert(
    vim.wait(10000, function()
      local connection = client.all()[1]
      return connection and connection.state == "live"
    end, 5),
    "no connection"
  )
  return client.all()[1]
end

---@param kind string
---@param members table
function M.event(kind, members)
  seq = seq + 1
  local at = os.date("!%Y-%m-%dT%H:%M:%SZ")
  local event = { seq = seq, at = at, projectId = "p1", actor = "engine", type = kind }
  dispatch.notification("specloom/event", vim.tbl_extend("force", event, members))
end

---@param message string
function M.message(message)
  dispatch.notification("window/showMessage", { type = 1, message = message })
end

---@param event table as a server told it once
function M.replay(event)
  dispatch.notification("specloom/event", event)
end

---@param params table
function M.output(params)
  dispatch.notification(
    "specloom/output",
    vim.tbl_extend("keep", params, { name = "", dropped = 0, fromStart = false })
  )
end

---Lets everything that was scheduled happen, and then what that put off to the next tick, on however busy a machine.
---@param ms integer? of each
function M.settle(ms)
  local over = false
  vim.defer_fn(function()
    vim.defer_fn(function()
      over = true
    end, ms or 35)
  end, ms or 35)
  vim.wait(10000, function()
    return over
  end, 5)
end

---Fails, at the line that asks, where two values differ.
---@param seen any
---@param wanted any
function M.same(seen, wanted)
  if not vim.deep_equal(seen, wanted) then
    error(("saw %s instead of %s"):format(vim.inspect(seen), vim.inspect(wanted)), 2)
  end
end

return M
