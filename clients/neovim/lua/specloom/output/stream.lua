--- The output of one agent, folded from events and the lossy stream into blocks. Refuses buffers, windows and clocks.
---
--- What streams in is shown at once; the event of the finished block is the truth and puts right what was lost.
local block = require("specloom.output.block")
local edits = require("specloom.output.edits")
local words = require("specloom.words")

local M = {}

-- Rows of all blocks together, and how many are left once the oldest are given up.
M.MOST_ROWS, M.KEPT_ROWS = 6000, 4500

---@class specloom.Stream
---@field agent string
---@field seq integer the last event that is in it
---@field blocks specloom.Block[]
---@field by_key table<string, specloom.Block>
---@field sessions table<string, integer> the last turn of each that is whole
---@field tasks table<string, true>
---@field dropped integer rows given up at the start
---@field gone integer blocks given up since the last drawing, as rows in the buffer
---@field session string? the newest one
local Stream = {}
Stream.__index = Stream

---@param agent string
---@param sessions specloom.Session[] known ones
---@return specloom.Stream
function M.new(agent, sessions)
  local stream = setmetatable({ agent = agent, seq = 0, blocks = {}, by_key = {} }, Stream)
  stream.sessions, stream.tasks, stream.dropped, stream.gone = {}, {}, 0, 0
  for _, session in ipairs(sessions) do
    if session.agentId == agent then
      stream.sessions[session.id], stream.session = 0, session.id
      if session.taskId then
        stream.tasks[session.taskId] = true
      end
    end
  end
  return stream
end

---@param key string
---@param kind string
---@param style? table
---@return specloom.Block
function Stream:open(key, kind, style)
  local made = block.new(key, kind, style)
  self.blocks[#self.blocks + 1] = made
  self.by_key[key] = made
  return made
end

---One line that stands for itself.
function Stream:note(key, text, group)
  self:open(key, "note"):put(block.row(text:gsub("[\n\r]+", " "), group, "0"))
end

---A line with the rest folded below it.
function Stream:folded(key, kind, head, group, text)
  local made = self:open(key, kind, { level = "1", group = "SpecloomOutput", indent = "  " })
  made:set_head(head, group)
  made:add((text:gsub("\n+$", "")))
  return made
end

---What was said is apart from what was done.
function Stream:gap(key)
  local last = self.blocks[#self.blocks]
  if last and last.rows[#last.rows] and last.rows[#last.rows].text ~= "" then
    self:open(key .. " gap", "gap"):put(block.row("", nil, "0"))
  end
end

---@type table<string, fun(stream: specloom.Stream, key: string, name: string): specloom.Block>
local OPENED = {
  text = function(stream, key)
    stream:gap(key)
    return stream:open(key, "text")
  end,
  thinking = function(stream, key)
    local made = stream:open(key, "thinking", { level = "1", group = "SpecloomThinking", indent = "  " })
    made:set_head("▸ thinking", "SpecloomThinking")
    return made
  end,
  tool_input = function(stream, key, name)
    local made = stream:open(key, "tool_input", { level = "1", indent = "  " })
    made:set_head("▶ " .. name, "SpecloomInProgress")
    return made
  end,
  command = function(stream, key)
    return stream:open(key, "tool", { group = "SpecloomOutput", indent = "  " })
  end,
}

---What streams in late, behind the event that told all of it. Thoughts are told by no event: they go before the rest.
---@param o specloom.OutputParams
---@return boolean whether it counts no more
function Stream:late(o)
  local key = o.sessionId .. " " .. o.block
  local found = self.by_key[key]
  if o.kind == "command" then
    return found ~= nil and found.call ~= nil and found.call.settled == true
  end
  local turn = tonumber(o.block:match("^%d+")) or 0
  if turn > self.sessions[o.sessionId] then
    return false
  elseif o.kind == "thinking" and not found then
    local start = ("%s %d."):format(o.sessionId, turn)
    for index, item in ipairs(self.blocks) do
      if vim.startswith(item.key, start) then
        OPENED.thinking(self, key)
        table.insert(self.blocks, index, table.remove(self.blocks))
        return false
      end
    end
  end
  return o.kind ~= "thinking"
end

---A piece of the stream.
---@param o specloom.OutputParams
function Stream:output(o)
  -- What is written into a spec are words of the answer, which stand here already.
  if o.kind == "spec" or not self.sessions[o.sessionId] or self:late(o) then
    return
  end
  local key = o.sessionId .. " " .. o.block
  local found = self.by_key[key] or OPENED[o.kind](self, key, o.name)
  local text = o.dropped > 0 and ("\n[%d characters left out]\n"):format(o.dropped) .. o.text or o.text
  if found.kind == "tool_input" then
    found.raw[1] = (found.raw[1] or "") .. text
    found:set_head("▶ " .. (edits.head(o.name, found.raw[1]:sub(1, 400))), "SpecloomInProgress")
    return
  elseif found.kind == "text" then
    found.raw[#found.raw + 1] = text
  end
  found:add(text)
  if found.kind == "thinking" then
    found:set_head(("▸ thinking · %s"):format(words.count(#found.rows - 1, "line")), "SpecloomThinking")
  end
end

---Blocks of a turn as they stream in, in order.
function Stream:streamed(e, kind)
  local start = ("%s %d."):format(e.sessionId, e.turn)
  return vim.tbl_filter(function(item)
    return item.kind == kind and vim.startswith(item.key, start)
  end, self.blocks)
end

function Stream:forget(found)
  found.rows, found.from, found.kind = {}, 1, "gone"
  self.by_key[found.key] = nil
end

---@type table<string, fun(stream: specloom.Stream, e: table)>
local EVENTS = {}

function EVENTS.sessionStarted(stream, e)
  stream.session = e.sessionId
  stream.sessions[e.sessionId] = 0
  if e.taskId then
    stream.tasks[e.taskId] = true
  end
  local what = e.parentId and "sub-agent" or e.previousId and ("session %d"):format(e.number) or e.role
  local parts = vim.tbl_filter(function(part)
    return part and part ~= ""
  end, { what, e.taskId or "", e.model, e.because or "" })
  stream:gap(e.sessionId)
  stream:note(e.sessionId, ("── %s ──"):format(table.concat(parts, " · ")), "SpecloomSeparator")
end

function EVENTS.sessionEnded(stream, e)
  -- The separator of the session that goes on says why it had to.
  if e.outcome ~= "claimed" and e.outcome ~= "rotated" then
    local last = stream.blocks[#stream.blocks]
    local told = e.reason == "" or (last and vim.startswith(last.key, "failed turn "))
    local why = told and "" or ": " .. words.line(e.reason)
    stream:note("end " .. e.sessionId, ("session ended, %s%s"):format(e.outcome, why), "SpecloomDetail")
  end
end

function EVENTS.messageAdded(stream, e)
  local lines = #vim.split(e.text, "\n")
  local about = words.line(e.text):gsub("^#+ ", "")
  local head = ("▸ is told %s · %s"):format(about, words.count(lines, "line"))
  local made = stream:folded("given " .. e.seq, "given", head, "SpecloomDetail", e.text)
  made.raw = { e.text }
end

function EVENTS.turnRequested(stream, e)
  -- Asked again: what came of the last try counts no more.
  for _, kind in ipairs({ "text", "thinking", "tool_input" }) do
    for _, found in ipairs(stream:streamed(e, kind)) do
      stream:forget(found)
    end
  end
end

function EVENTS.turnFinished(stream, e)
  stream.sessions[e.sessionId] = e.turn
  local shown = stream:streamed(e, "text")
  local seen = table.concat(
    vim.tbl_map(function(item)
      return table.concat(item.raw)
    end, shown),
    "\n"
  )
  if seen == e.text then
    return
  elseif #shown == 0 then
    stream:gap("turn " .. e.seq)
    stream:open(("%s %d.text"):format(e.sessionId, e.turn), "text"):add(e.text)
    return
  end
  for index = 2, #shown do
    stream:forget(shown[index])
  end
  shown[1]:clear()
  shown[1]:add(e.text)
end

function EVENTS.turnFailed(stream, e)
  local again = type(e.retryInS) == "number" and (" · again in %gs"):format(e.retryInS) or ""
  local text = ("✗ turn %d: %s%s"):format(e.turn, words.line(e.message), again)
  stream:note("failed turn " .. e.seq, text, "SpecloomFailed")
end

---The block in which the input of a call streamed in, or what it printed already, or a new one.
local function call_block(stream, e)
  local key = e.sessionId .. " " .. e.callId
  local present = stream.by_key[key]
  for _, found in ipairs(stream.blocks) do
    if found.kind == "tool_input" and vim.startswith(found.key, e.sessionId) then
      if present then
        stream:forget(found)
        return present
      end
      stream.by_key[found.key], stream.by_key[key] = nil, found
      found.key, found.kind, found.group, found.raw = key, "tool", "SpecloomOutput", {}
      found:fold(false)
      return found
    end
  end
  return present or stream:open(key, "tool", { group = "SpecloomOutput", indent = "  " })
end

function EVENTS.toolRequested(stream, e)
  local found = call_block(stream, e)
  local head, path = edits.head(e.name, e.input)
  found.call = { head = head, path = path }
  found:set_head("▶ " .. head, "SpecloomInProgress", { path = path })
  for _, line in ipairs(edits.diff(e.name, e.input) or {}) do
    local row = block.row("  " .. line.text, line.group, "0")
    row.path, row.line = path, line.line
    found:put(row)
    found.call.diff = true
  end
end

function EVENTS.toolSettled(stream, e)
  local found = stream.by_key[e.sessionId .. " " .. e.callId]
  if not found or not found.call then
    return
  end
  local call = found.call
  call.settled = true
  local group = e.isError and "SpecloomFailed" or "SpecloomTool"
  local sign = e.isError and "✗ " or "✓ "
  if call.diff and not e.isError then
    return found:set_head(sign .. call.head, group, { path = call.path })
  end
  local text = (e.text:gsub("\n+$", ""))
  local lines = text == "" and 0 or #vim.split(text, "\n", { plain = true })
  local folded = not e.isError or lines > 12
  found:clear()
  found:fold(folded)
  found:add(text)
  local count = lines > 0 and " · " .. words.count(lines, "line") or ""
  found:set_head((folded and lines > 0 and "▸ " or "") .. sign .. call.head .. count, group, { path = call.path })
end

function EVENTS.editSettled(stream, e)
  if not e.applied then
    stream:note("edit " .. e.seq, ("✗ %s was not changed: %s"):format(e.path, words.line(e.reason)), "SpecloomFailed")
  end
end

function EVENTS.checkRequested(stream, e)
  if e.phase ~= "before" then
    local found = stream:open("check " .. e.checkId, "check", { group = "SpecloomOutput", indent = "  " })
    found.call = { head = "verify  " .. words.line(e.command) }
    found:set_head("▶ " .. found.call.head, "SpecloomInProgress")
  end
end

function EVENTS.checkSettled(stream, e)
  local found = stream.by_key["check " .. e.checkId]
  if not found then
    return
  end
  local good = e.exitCode == 0
  local how = e.timedOut and "timed out" or type(e.exitCode) == "number" and "exit " .. e.exitCode or "no exit status"
  local output = (e.output:gsub("\n+$", ""))
  found:clear()
  found:fold(good and output ~= "")
  found:add(output)
  local text = ("%s · %s · %.1fs"):format(found.call.head, how, e.durationS)
  local sign = good and output ~= "" and "▸ ✓ " or good and "✓ " or "✗ "
  found:set_head(sign .. text, good and "SpecloomDone" or "SpecloomFailed")
  if e.note ~= "" then
    found:put(block.row("  " .. words.line(e.note), "SpecloomDetail", found.level))
  end
end

function EVENTS.promptDelivered(stream, e)
  -- The conversation was given the same words.
  local last = stream.blocks[#stream.blocks]
  if last and last.kind == "given" and last.raw[1] == e.text then
    stream:forget(last)
  end
  stream:gap("said " .. e.seq)
  local found = stream:open("said " .. e.seq, "said", { group = "SpecloomPrompt", indent = "» " })
  found:add(e.text)
end

function EVENTS.approvalAsked(stream, e)
  local text = ("? %s: %s"):format(e.purpose ~= "" and e.purpose or e.kind, words.line(e.subject))
  stream:note("asked " .. e.approvalId, text, "SpecloomWaiting")
end

function EVENTS.approvalAnswered(stream, e)
  local asked = stream.by_key["asked " .. e.approvalId]
  if asked then
    local text = asked.rows[1].text .. (e.allowed and " · allowed" or " · denied")
    asked:clear()
    asked:put(block.row(text, "SpecloomDetail", "0"))
  end
end

function EVENTS.noProgressSeen(stream, e)
  local text = ("goes in circles (%s, %s)"):format(e.circle, words.count(e.turns, "turn"))
  stream:note("circle " .. e.seq, text, "SpecloomBlocked")
end

function EVENTS.contextCollapsed(stream, e)
  local text = ("%s shortened to make room"):format(words.count(e.collapsed, "old result"))
  stream:note("collapsed " .. e.seq, text, "SpecloomDetail")
end

function EVENTS.taskDone(stream, e)
  stream:note("task " .. e.seq, ("✓ %s is %s"):format(e.taskId, e.proven and "proven" or "done"), "SpecloomDone")
end

local function failed(form)
  return function(stream, e)
    stream:note("task " .. e.seq, form:format(e.taskId, words.line(e.reason)), "SpecloomFailed")
  end
end

EVENTS.taskFailed = failed("✗ %s failed: %s")
EVENTS.attemptFailed = failed("✗ this attempt at %s did not prove it: %s")
EVENTS.taskBlocked = failed("■ %s is blocked: %s")

-- These name their task, but not the agent that worked at it.
local BY_TASK = {
  checkRequested = true,
  checkSettled = true,
  taskDone = true,
  taskFailed = true,
  attemptFailed = true,
  taskBlocked = true,
}

---@param e table
---@return boolean
function Stream:concerns(e)
  if e.sessionId then
    return self.sessions[e.sessionId] ~= nil or (e.type == "sessionStarted" and e.agentId == self.agent)
  elseif e.agentId then
    return e.agentId == self.agent
  elseif e.approvalId then
    return self.by_key["asked " .. e.approvalId] ~= nil
  end
  return BY_TASK[e.type] ~= nil and self.tasks[e.taskId] == true
end

---Folds an event in, each once.
---@param e table a `specloom/event`
function Stream:event(e)
  if e.seq <= self.seq then
    return
  end
  self.seq = e.seq
  if e.type == "taskStarted" then
    self.tasks[e.taskId] = e.agentId == self.agent or nil
  end
  local fold = EVENTS[e.type]
  if fold and self:concerns(e) then
    fold(self, e)
  end
end

---Gives the oldest blocks up once there are too many rows.
function Stream:bound()
  local rows = 0
  for _, item in ipairs(self.blocks) do
    rows = rows + #item.rows
  end
  if rows <= M.MOST_ROWS then
    return
  end
  local first = 1
  while rows > M.KEPT_ROWS and first < #self.blocks do
    local item = self.blocks[first]
    rows, first = rows - #item.rows, first + 1
    self.gone = self.gone + item.drawn
    self.dropped = self.dropped + #item.rows
    self.by_key[item.key] = nil
  end
  self.blocks = vim.list_slice(self.blocks, first)
end

return M
