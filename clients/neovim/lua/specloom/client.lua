--- The connection to one project: requests with a deadline, the subscription from the last `seq`, and who hears of it.
---
--- Refuses to decide anything, and to keep what cannot be fetched again. One root is one language client is one
--- connection; it outlives restarts of its server. Listeners of a kind hear in the order in which they came, on the
--- main loop:
---   snapshot  (connection, specloom.Projection)        what is true is told anew; events go on without a hole
---   event     (connection, specloom.WireEvent, specloom.Change)   each once, in the order of `seq`, none missing
---   output    (connection, specloom.OutputParams)      the lossy stream
---   health    (connection, specloom.WireHealth)
---   state     (connection, specloom.State)             "starting" → "live" ⇄ "gone"; "refused" with connection.reason
---
--- `connection.projection` is up to date before listeners hear of an event. JSON's null is nil in all that they are
--- given. Another `connection.project_id` than before: the log is a new one, and nothing that was kept belongs to it.
local M = {}

---@alias specloom.State "starting"|"live"|"refused"|"gone"
---@alias specloom.Kind "snapshot"|"event"|"output"|"health"|"state"
---@alias specloom.OnAnswer fun(refused: string?, result: table?, error: lsp.ResponseError?)

---@class specloom.Connection
---@field root string absolute path of the project
---@field state specloom.State
---@field reason string why it is refused or gone, for people
---@field lsp vim.lsp.Client? while there is one
---@field subscribed boolean whether events come behind `seq`
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
---@type table<string, fun(connection: specloom.Connection)[]> who waits for a project, by root
local awaited = {}
local orders = 0

--- Hears of all connections.
---@param kind specloom.Kind
---@param listener fun(connection: specloom.Connection, value: any, change: specloom.Change)
function M.on(kind, listener)
  listeners[kind] = listeners[kind] or {}
  table.insert(listeners[kind], listener)
end

---@param kind specloom.Kind
---@param connection specloom.Connection
---@param value any
---@param change? specloom.Change
local function emit(kind, connection, value, change)
  for _, listener in ipairs(listeners[kind] or {}) do
    local fine, message = xpcall(listener, debug.traceback, connection, value, change)
    if not fine then
      vim.notify_once(("Specloom: a listener of %q failed: %s"):format(kind, message), vim.log.levels.ERROR)
    end
  end
end

--- Null is nil since 0.10, vim.NIL since 0.12: here it is nil.
local function plain(value)
  for key, member in pairs(value) do
    if member == vim.NIL then
      value[key] = nil
    elseif type(member) == "table" then
      plain(member)
    end
  end
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

--- The connection of a buffer: its own, else the one whose root holds the file or the working directory, else the
--- only one.
---@param buf? integer
---@return specloom.Connection? connection
---@return string why there is none
function M.of(buf)
  buf = (buf == nil or buf == 0) and vim.api.nvim_get_current_buf() or buf
  local name = vim.api.nvim_buf_get_name(buf)
  local place = vim.bo[buf].buftype == "" and name ~= "" and name or vim.uv.cwd() or ""
  local found, all = connections[vim.b[buf].specloom_root], M.all()
  for _, connection in ipairs(found and {} or all) do
    -- The last in order is the innermost.
    if vim.startswith(vim.fs.normalize(place) .. "/", connection.root .. "/") then
      found = connection
    end
  end
  found = found or #all == 1 and all[1] or nil
  if not found and #all > 1 then
    return nil, "Specloom: several projects are open; go to a file of the one that you mean"
  end
  return found, found and "" or "Specloom: no project is open here; open its requirements.md, or run :Specloom start"
end

--- Goes on with the connection of a root once its project is known.
---@param root string
---@param go fun(connection: specloom.Connection)
function M.known(root, go)
  local connection = connections[root]
  if connection and connection.projection and connection.state ~= "gone" then
    return go(connection)
  end
  awaited[root] = awaited[root] or {}
  table.insert(awaited[root], go)
end

--- Asks the server; exactly one answer comes, at the deadline at last.
---@param method string
---@param params table
---@param on_answer specloom.OnAnswer `refused` is nil where it worked
---@param deadline_ms? integer
function Connection:request(method, params, on_answer, deadline_ms)
  local client, settled, timer, sent, id = self.lsp, false, nil, false, nil
  local function settle(refused, result, error)
    if settled then
      return
    end
    settled = true
    if timer and not timer:is_closing() then
      timer:close()
    end
    on_answer(refused, result, error)
  end
  if client then
    sent, id = M.call(client, "request", method, params, function(error, result)
      local answer = { result }
      plain(answer)
      settle(error and error.message, answer[1], error)
    end)
  end
  if not sent then
    local why = self.reason ~= "" and self.reason or "its server does not run; :Specloom restart starts it"
    return vim.schedule(function()
      settle("Specloom: " .. why)
    end)
  end
  timer = vim.defer_fn(function()
    if not settled then
      M.call(client, "cancel_request", id)
      settle(("Specloom: no answer to %s in time; :checkhealth specloom tells how the server does"):format(method))
    end
  end, deadline_ms or DEADLINE_MS)
end

--- The same, unless another server came meanwhile.
function Connection:ask(method, params, on_answer, deadline_ms)
  local client = self.lsp
  self:request(method, params, function(refused, result, error)
    if client and self.lsp == client then
      on_answer(refused, result, error)
    end
  end, deadline_ms)
end

--- The same where a refusal is told, and nothing else comes of it.
---@param method string
---@param params table
---@param on_result? fun(result: table)
function Connection:get(method, params, on_result)
  self:request(method, params, function(refused, result)
    if refused then
      require("specloom.tell").warn(refused)
    elseif on_result then
      on_result(result or {})
    end
  end)
end

--- The same for what changes something: sent twice it is one effect.
---@param method string
---@param params table
---@param on_result? fun(result: table)
function Connection:order(method, params, on_result)
  orders = orders + 1
  local id = ("nvim-%d-%x-%d"):format(vim.uv.os_getpid(), vim.uv.hrtime(), orders)
  self:get(method, vim.tbl_extend("keep", params, { commandId = id }), on_result)
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

---@param snapshot specloom.ProjectGetResult
function Connection:take(snapshot)
  if self.project_id ~= snapshot.id then
    self.project_id, self.seq, self.subscribed = snapshot.id, snapshot.seq, false
  end
  local projection = require("specloom.projection")
  self.projection = projection.new(snapshot)
  local again = false
  for _, event in ipairs(self.meanwhile) do
    again = projection.fold(self.projection, event).again or again
  end
  emit("snapshot", self, self.projection)
  local waiting = awaited[self.root] or {}
  awaited[self.root] = nil
  for _, go in ipairs(waiting) do
    go(self)
  end
  if again then
    self:refresh()
  end
end

--- Fetches the whole, and subscribes behind what was heard; later again if that is refused.
function Connection:fetch()
  self.refreshing, self.meanwhile = true, {}
  self:ask("specloom/project/get", vim.empty_dict(), function(refused, snapshot)
    self.refreshing = false
    if refused or not snapshot then
      return self:later(refused)
    end
    self:take(snapshot --[[@as specloom.ProjectGetResult]])
    if self.subscribed then
      return self:become("live")
    end
    self:subscribe()
  end, SNAPSHOT_MS)
end

--- Fetches the whole soon, once for all who want it by then: documents changed, which events tell of in part only.
function Connection:refresh()
  local client = self.lsp
  if not self.refreshing then
    self.refreshing = true
    vim.defer_fn(function()
      if self.lsp == client then
        self:fetch()
      end
    end, REFRESH_MS)
  end
end

--- Goes on behind the newest event that was heard. A log that is another one now is fetched as a whole.
function Connection:subscribe()
  local params = { since = self.seq, output = true, health = true }
  self:ask("specloom/events/subscribe", params, function(refused, result, error)
    local data = error and type(error.data) == "table" and error.data or {}
    if data.reason == "seq-ahead" or (result and result.projectId ~= self.project_id) then
      self.project_id = nil
      return self:fetch()
    elseif refused then
      return self:later(refused)
    end
    self.subscribed = true
    self:become("live")
  end)
end

--- What is being said is told once more, from its start: nobody here keeps what nobody looked at.
function Connection:recall()
  if self.subscribed then
    self:subscribe()
  end
end

---@param refused string?
function Connection:later(refused)
  self:become("refused", refused)
  local client = self.lsp
  vim.defer_fn(function()
    if self.lsp == client then
      self:fetch()
    end
  end, AGAIN_MS)
end

---@param event specloom.WireEvent
function Connection:hear(event)
  if event.projectId ~= self.project_id or event.seq <= self.seq then
    return
  elseif event.seq > self.seq + 1 then
    -- Never between a server and a client that keep their word; the whole is true in any case.
    self.project_id = nil
    return self:fetch()
  end
  self.seq = event.seq
  -- What a snapshot held already may still come, and changes nothing.
  local change = require("specloom.projection").fold(self.projection, event)
  if self.refreshing then
    table.insert(self.meanwhile, event)
  end
  emit("event", self, event, change)
  if change.again then
    self:refresh()
  end
end

--- Handlers of what the server tells, for the configuration of the language client.
---@type table<string, lsp.Handler>
M.HANDLERS = {}

for _, kind in ipairs({ "event", "output", "health" }) do
  M.HANDLERS["specloom/" .. kind] = function(_, params, context)
    local connection = by_client[context.client_id]
    if not connection or not connection.projection then
      return
    end
    plain(params)
    if kind == "event" then
      return connection:hear(params)
    end
    connection.health = kind == "health" and params or connection.health
    emit(kind, connection, params)
  end
end

local LEVELS = { vim.log.levels.ERROR, vim.log.levels.WARN }

--- As all else is told: Neovim's own way asks for ENTER after a long message, which is right where somebody asked for a text.
M.HANDLERS["window/showMessage"] = function(error, params, ...)
  if params.message:find("\n") then
    return vim.lsp.handlers["window/showMessage"](error, params, ...)
  end
  require("specloom.tell").say(params.message, LEVELS[params.type])
end

--- A language client is ready: its root is fetched, or goes on where it was.
---@param client vim.lsp.Client
function M.attach(client)
  local root = vim.fs.normalize(assert(client.config.root_dir))
  local connection = connections[root]
    or setmetatable({ root = root, state = "starting", reason = "", seq = 0 }, Connection)
  connections[root], by_client[client.id] = connection, connection
  connection.lsp, connection.subscribed = client, false
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
