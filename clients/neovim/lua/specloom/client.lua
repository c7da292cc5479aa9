--- The connection to one project: requests with a deadline, the subscription from the last `seq`, and who hears of it.
---
--- Refuses to decide anything, and to keep what cannot be fetched again. One root is one language client is one
--- connection; it outlives restarts of its server. What views build on:
---
---   local client = require("specloom.client")
---   local connection, why = client.of(buf)            -- of a file, or of a buffer of ours with b:specloom_root
---   local off = client.on("event", function(connection, event) … end)
---   connection:order("specloom/run/start", { scope = … }, function(refused, result) … end)
---
--- Listeners of a kind hear in the order in which they came, on the main loop, never in a fast event:
---   snapshot  (connection, specloom.Projection)        what is true is told anew; events go on without a hole
---   event     (connection, specloom.WireEvent, specloom.Change)   each once, in the order of `seq`, none missing
---   output    (connection, specloom.OutputParams)      the lossy stream
---   gap       (connection, specloom.GapParams)         output is missing; the events that it names still follow
---   health    (connection, specloom.WireHealth)
---   state     (connection, specloom.State)             "starting" → "live" ⇄ "gone"; "refused" with connection.reason
---
--- `connection.projection` is the one fold of snapshot and events (specloom.projection: `new(snapshot)`, and `fold(projection,
--- event)`, whose change is handed on); it is up to date before listeners hear of an event. Where a change says `again` the
--- snapshot is fetched anew. JSON's null is nil in all that listeners are given. Another `connection.project_id` than
--- before: the log is a new one, and nothing that was kept belongs to it.
local M = {}

---@alias specloom.State "starting"|"live"|"refused"|"gone"
---@alias specloom.Kind "snapshot"|"event"|"output"|"gap"|"health"|"state"
---@alias specloom.OnAnswer fun(refused: string?, result: table?, error: lsp.ResponseError?)

---@class specloom.Connection
---@field root string absolute path of the project
---@field state specloom.State
---@field reason string why it is refused or gone, for people
---@field lsp vim.lsp.Client? while there is one
---@field seq integer of the newest event that was heard
---@field project_id string? of the log that `seq` belongs to
---@field projection specloom.Projection?
---@field health specloom.WireHealth?
---@field refreshing boolean whether a snapshot is on its way
---@field meanwhile specloom.WireEvent[] heard since it was asked for: it may have been taken before them
local Connection = {}
Connection.__index = Connection

local DEADLINE_MS = 15000
-- A root that another process holds is free at some time.
local AGAIN_MS = 3000
-- A snapshot of a large project on a busy machine.
local SNAPSHOT_MS = 60000
-- Events that change documents come in crowds.
local REFRESH_MS = 100

---@type table<string, specloom.Connection> by root
local connections = {}
---@type table<integer, specloom.Connection> by the id of the language client
local by_client = {}
---@type table<specloom.Kind, function[]>
local listeners = {}
local orders = 0

--- Hears of all connections; returns what ends that.
---@param kind specloom.Kind
---@param listener fun(connection: specloom.Connection, value: any)
---@return fun() off
function M.on(kind, listener)
  listeners[kind] = listeners[kind] or {}
  table.insert(listeners[kind], listener)
  return function()
    for at, found in ipairs(listeners[kind]) do
      if found == listener then
        table.remove(listeners[kind], at)
        return
      end
    end
  end
end

---@param kind specloom.Kind
---@param connection specloom.Connection
---@param value any
---@param change? specloom.Change
local function emit(kind, connection, value, change)
  -- A copy: a listener may end itself.
  for _, listener in ipairs(vim.list_slice(listeners[kind] or {})) do
    local fine, message = xpcall(listener, debug.traceback, connection, value, change)
    if not fine then
      vim.notify_once(("Specloom: a listener of %q failed: %s"):format(kind, message), vim.log.levels.ERROR)
    end
  end
end

--- Null is nil since 0.10, vim.NIL since 0.12: here it is nil.
local function plain(value)
  if value == vim.NIL then
    return nil
  elseif type(value) == "table" then
    for key, member in pairs(value) do
      if member == vim.NIL then
        value[key] = nil
      elseif type(member) == "table" then
        plain(member)
      end
    end
  end
  return value
end

--- Names of methods became methods of objects in 0.11.
---@param client vim.lsp.Client
---@param name "request"|"notify"|"cancel_request"|"stop"|"is_stopped"
function M.call(client, name, ...)
  if vim.fn.has("nvim-0.11") == 1 then
    return client[name](client, ...)
  end
  return client[name](...)
end

--- Those of this Neovim, by root.
---@return specloom.Connection[]
function M.all()
  local roots = vim.tbl_keys(connections)
  table.sort(roots)
  return vim.tbl_map(function(root)
    return connections[root]
  end, roots)
end

--- The connection of a buffer: its own client's, else the one whose root holds the file or the working directory, else
--- the only one.
---@param buf? integer
---@return specloom.Connection? connection
---@return string why there is none
function M.of(buf)
  buf = (buf == nil or buf == 0) and vim.api.nvim_get_current_buf() or buf
  local own = vim.b[buf].specloom_root
  if own and connections[own] then
    return connections[own], ""
  end
  local client = vim.lsp.get_clients({ bufnr = buf, name = "specloom" })[1]
  if client and by_client[client.id] then
    return by_client[client.id], ""
  end
  local all = M.all()
  local name = vim.api.nvim_buf_get_name(buf)
  local place = vim.bo[buf].buftype == "" and name ~= "" and name or vim.uv.cwd() or ""
  table.sort(all, function(a, b)
    return #a.root > #b.root
  end)
  for _, connection in ipairs(all) do
    if vim.startswith(vim.fs.normalize(place) .. "/", connection.root .. "/") then
      return connection, ""
    end
  end
  if #all == 1 then
    return all[1], ""
  end
  if #all > 1 then
    return nil, "Specloom: several projects are open; go to a file of the one that you mean"
  end
  return nil, "Specloom: no project is open here; open its requirements.md, or run :Specloom start"
end

---@param error lsp.ResponseError
---@return string
local function sentence(error)
  local data = type(error.data) == "table" and error.data or {}
  local parts = { error.message }
  for _, field in ipairs(type(data.fields) == "table" and data.fields or {}) do
    parts[#parts + 1] = ("%s: %s"):format(field.field, field.message)
  end
  return table.concat(parts, "; ")
end

--- Asks the server; exactly one answer comes, at the deadline at last.
---@param method string
---@param params table
---@param on_answer? specloom.OnAnswer `refused` is nil where it worked
---@param deadline_ms? integer
function Connection:request(method, params, on_answer, deadline_ms)
  local settled = false
  local timer ---@type uv.uv_timer_t?
  local client = self.lsp
  local function settle(refused, result, error)
    if settled then
      return
    end
    settled = true
    if timer then
      timer:stop()
      timer:close()
    end
    if on_answer then
      on_answer(refused, result, error)
    end
  end
  local sent, id
  if client then
    sent, id = M.call(client, "request", method, params, function(error, result)
      settle(error and sentence(error), plain(result), error)
    end)
  end
  if not client or not sent then
    local why = self.reason ~= "" and self.reason or "its server does not run; :Specloom restart starts it"
    return vim.schedule(function()
      settle("Specloom: " .. why)
    end)
  end
  timer = assert(vim.uv.new_timer())
  timer:start(deadline_ms or DEADLINE_MS, 0, function()
    vim.schedule(function()
      if not settled then
        M.call(client, "cancel_request", id)
      end
      settle(("Specloom: no answer to %s in time; :checkhealth specloom tells how the server does"):format(method))
    end)
  end)
end

--- The same for what changes something: sent twice it is one effect, and a refusal is told unless somebody hears it.
---@param method string
---@param params table
---@param on_answer? specloom.OnAnswer
function Connection:order(method, params, on_answer)
  orders = orders + 1
  local id = ("nvim-%d-%x-%d"):format(vim.uv.os_getpid(), vim.uv.hrtime(), orders)
  self:request(method, vim.tbl_extend("keep", params, { commandId = id }), on_answer or function(refused)
    if refused then
      require("specloom.tell").warn(refused)
    end
  end)
end

---@param state specloom.State
---@param reason? string
function Connection:become(state, reason)
  reason = reason or ""
  if self.state ~= state or self.reason ~= reason then
    self.state, self.reason = state, reason
    emit("state", self, state)
  end
end

---@param connection specloom.Connection
---@param snapshot specloom.ProjectGetResult
local function take(connection, snapshot)
  if connection.project_id ~= snapshot.id then
    connection.project_id, connection.seq = snapshot.id, snapshot.seq
  end
  local projection = require("specloom.projection")
  connection.projection = projection.new(snapshot)
  local again = false
  for _, event in ipairs(connection.meanwhile) do
    again = projection.fold(connection.projection, event).again or again
  end
  connection.meanwhile = {}
  emit("snapshot", connection, connection.projection)
  if again then
    connection:refresh()
  end
end

--- Fetches the whole, and subscribes behind what was heard; later again if that is refused.
function Connection:fetch()
  local client = self.lsp
  self:request("specloom/project/get", vim.empty_dict(), function(refused, snapshot)
    if self.lsp ~= client then
      return
    elseif refused or not snapshot then
      return self:later(refused)
    end
    take(self, snapshot --[[@as specloom.ProjectGetResult]])
    self:subscribe()
  end, SNAPSHOT_MS)
end

--- Fetches the whole soon, once for all who want it by then: documents changed, which events tell of in part only.
function Connection:refresh()
  if self.refreshing then
    return
  end
  self.refreshing = true
  vim.defer_fn(function()
    local client = self.lsp
    self.meanwhile = {}
    self:request("specloom/project/get", vim.empty_dict(), function(refused, snapshot)
      self.refreshing = false
      if self.lsp == client and not refused and snapshot then
        take(self, snapshot --[[@as specloom.ProjectGetResult]])
      end
    end, SNAPSHOT_MS)
  end, REFRESH_MS)
end

--- Goes on behind the newest event that was heard. A log that is another one now is fetched as a whole.
function Connection:subscribe()
  local client = self.lsp
  local params = { since = self.seq, output = true, health = true }
  self:request("specloom/events/subscribe", params, function(refused, result, error)
    if self.lsp ~= client then
      return
    elseif refused or not result then
      local data = error and type(error.data) == "table" and error.data or {}
      if data.reason == "seq-ahead" then
        self.project_id = nil
        return self:fetch()
      end
      return self:later(refused)
    elseif result.projectId ~= self.project_id then
      return self:fetch()
    end
    self:become("live")
  end)
end

---@param refused string?
function Connection:later(refused)
  self:become("refused", refused)
  local client = self.lsp
  vim.defer_fn(function()
    if self.lsp == client and client then
      self:fetch()
    end
  end, AGAIN_MS)
end

---@param event specloom.WireEvent
local function hear(connection, event)
  if event.projectId ~= connection.project_id or event.seq <= connection.seq then
    return
  end
  if event.seq > connection.seq + 1 then
    -- Never between a server and a client that keep their word; the whole is true in any case.
    connection.project_id = nil
    return connection:fetch()
  end
  connection.seq = event.seq
  -- What a snapshot held already may still come, and changes nothing.
  local change = require("specloom.projection").fold(connection.projection, event)
  if connection.refreshing then
    table.insert(connection.meanwhile, event)
  end
  emit("event", connection, event, change)
  if change.again then
    connection:refresh()
  end
end

---@param kind specloom.Kind
local function told(kind)
  return function(_, params, context)
    local connection = by_client[context.client_id]
    if not connection or not connection.projection then
      return
    end
    params = plain(params)
    if kind == "event" then
      return hear(connection, params)
    elseif kind == "health" then
      connection.health = params
    end
    emit(kind, connection, params)
  end
end

--- Handlers of what the server tells, for the configuration of the language client.
---@return table<string, lsp.Handler>
function M.handlers()
  return {
    ["specloom/event"] = told("event"),
    ["specloom/output"] = told("output"),
    ["specloom/gap"] = told("gap"),
    ["specloom/health"] = told("health"),
  }
end

--- A language client is ready: its root is fetched, or goes on where it was.
---@param client vim.lsp.Client
function M.attach(client)
  local root = vim.fs.normalize(assert(client.config.root_dir))
  local connection = connections[root]
  if not connection then
    connection = setmetatable(
      { root = root, state = "starting", reason = "", seq = 0, refreshing = false, meanwhile = {} },
      Connection
    )
    connections[root] = connection
  end
  connection.lsp = client
  by_client[client.id] = connection
  connection.refreshing = false
  connection:fetch()
end

--- A language client has ended.
---@param client_id integer
---@param reason string
function M.detach(client_id, reason)
  local connection = by_client[client_id]
  by_client[client_id] = nil
  if connection and connection.lsp and connection.lsp.id == client_id then
    connection.lsp, connection.health = nil, nil
    connection:become("gone", reason)
  end
end

return M
