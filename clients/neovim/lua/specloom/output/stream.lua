--- The output of one agent, folded from events and the lossy stream into blocks. Refuses buffers, windows and clocks.
---
--- What streams in is shown at once; the event of the finished block is the truth and puts right what was lost.
local block = require("specloom.output.block")
local edits = require("specloom.output.edits")
local words = require("specloom.words")

local M = {}

-- Rows of all blocks together, and how many are left once the oldest are given up.
M.MOST_ROWS, M.KEPT_ROWS = 6000, 4500
-- Of a call's input, to tell what it is about.
local MOST_INPUT = 400

---@class specloom.Stream
---@field agent string
---@field seq integer the last event that is in it
---@field blocks specloom.Block[]
---@field by_key table<string, specloom.Block>
---@field sessions table<string, integer> the last turn of each that is whole
---@field tasks table<string, true>
---@field dropped integer rows given up at the start
---@field session string? the newest one
local Stream = {}
Stream.__index = Stream

---@param agent string
---@param sessions specloom.Session[] known ones
---@return specloom.Stream
function M.new(agent, sessions)
  local empty = { agent = agent, seq = 0, blocks = {}, by_key = {}, sessions = {}, tasks = {}, dropped = 0 }
  local stream = setmetatable(empty, Stream)
  for _, session in ipairs(sessions) do
    if session.agentId == agent then
      stream:know(session.id, session.taskId)
    end
  end
  return stream
end

---@param session string
---@param task string?
function Stream:know(session, task)
  self.sessions[session], self.session = 0, session
  if task then
    self.tasks[task] = true
  end
end

---One line that stands for itself.
---@param e table
---@param text string
---@param group string
---@param key? string
function Stream:note(e, text, group, key)
  self:open(key or ("%s %d"):format(e.type, e.seq), "note"):put(block.row(text:gsub("[\n\r]+", " "), group))
end

---What was said is apart from what was done.
function Stream:gap(key)
  local last = self.blocks[#self.blocks]
  if last and last.rows[#last.rows] and last.rows[#last.rows].text ~= "" then
    self:open(key .. " gap", "gap"):put(block.row(""))
  end
end

local SHOWN = { group = "SpecloomOutput", indent = "  " }
local STYLES = {
  thinking = { level = "1", group = "SpecloomThinking", indent = "  " },
  given = { level = "1", group = "SpecloomOutput", indent = "  " },
  said = { group = "SpecloomPrompt", indent = "» " },
  tool_input = SHOWN,
  tool = SHOWN,
  check = SHOWN,
}

---@param key string
---@param kind string
---@return specloom.Block
function Stream:open(key, kind)
  if kind == "text" or kind == "said" then
    self:gap(key)
  end
  local made = block.new(key, kind, STYLES[kind])
  self.blocks[#self.blocks + 1] = made
  self.by_key[key] = made
  return made
end

---@param found specloom.Block
local function count_thoughts(found)
  if found.kind == "thinking" then
    local lines = #found.rows - (found.head and 1 or 0)
    found:set_head(("▸ thinking · %s"):format(words.count(lines, "line")), "SpecloomThinking")
  end
end

---What streams in late, behind the event that told all of it.
---@param o specloom.OutputParams
---@return boolean whether it counts no more
function Stream:late(o)
  local found = self.by_key[o.sessionId .. " " .. o.block]
  if o.kind == "command" then
    return found ~= nil and found.call ~= nil and found.call.settled == true
  end
  return (tonumber(o.block:match("^%d+")) or 0) <= self.sessions[o.sessionId]
end

---A piece of the stream; one that begins its block takes the place of what stands here of it.
---@param o specloom.OutputParams
function Stream:output(o)
  -- What is written into a spec are words of the answer, which stand here already.
  if o.kind == "spec" or not self.sessions[o.sessionId] or self:late(o) then
    return
  end
  local key = o.sessionId .. " " .. o.block
  local found = self.by_key[key] or self:open(key, o.kind == "command" and "tool" or o.kind)
  local text = o.dropped > 0 and ("\n[%d characters left out]\n"):format(o.dropped) .. o.text or o.text
  if found.kind == "tool_input" then
    found.raw = o.fromStart and "" or found.raw
    found.raw = #found.raw < MOST_INPUT and found.raw .. text or found.raw
    return found:set_head("▶ " .. (edits.head(o.name, found.raw)), "SpecloomInProgress")
  end
  found[o.fromStart and "replace" or "add"](found, text)
  count_thoughts(found)
end

---Blocks of a turn as they stream in, in order.
---@param e table
---@param kind string
---@return specloom.Block[]
---@return integer? first index of any of that turn
function Stream:streamed(e, kind)
  local start, found, first = ("%s %d."):format(e.sessionId, e.turn), {}, nil
  for index, item in ipairs(self.blocks) do
    if vim.startswith(item.key, start) then
      first = first or index
      found[#found + 1] = item.kind == kind and item or nil
    end
  end
  return found, first
end

function Stream:forget(found)
  found.rows, found.from, found.kind = {}, 1, "gone"
  self.by_key[found.key] = nil
end

---What was thought or said in a turn, told whole: puts right what was lost on the way.
---@param e table
---@param kind "thinking"|"text"
---@param text string
function Stream:whole(e, kind, text)
  local shown, first = self:streamed(e, kind)
  local seen = {}
  for _, found in ipairs(shown) do
    for index = found.head and 2 or 1, #found.rows do
      seen[#seen + 1] = found.rows[index].text:sub(#found.indent + 1)
    end
  end
  if table.concat(seen, "\n") == text then
    return
  end
  local found = shown[1] or self:open(("%s %d.%s"):format(e.sessionId, e.turn, kind), kind)
  if not shown[1] and kind == "thinking" and first then
    table.insert(self.blocks, first, table.remove(self.blocks))
  end
  for index = 2, #shown do
    self:forget(shown[index])
  end
  found:set(text, kind == "thinking")
  count_thoughts(found)
end

---@type table<string, fun(stream: specloom.Stream, e: table)>
local EVENTS = {}

function EVENTS.sessionStarted(stream, e)
  stream:know(e.sessionId, e.taskId)
  local parts = { e.parentId and "sub-agent" or e.previousId and ("session %d"):format(e.number) or e.role }
  parts[#parts + 1] = e.taskId
  parts[#parts + 1] = e.model
  parts[#parts + 1] = e.because ~= "" and e.because or nil
  stream:gap(e.sessionId)
  stream:note(e, ("── %s ──"):format(table.concat(parts, " · ")), "SpecloomSeparator")
end

function EVENTS.sessionEnded(stream, e)
  -- The separator of the session that goes on says why it had to.
  if e.outcome ~= "claimed" and e.outcome ~= "rotated" then
    local last = stream.blocks[#stream.blocks]
    local told = e.reason == "" or (last and vim.startswith(last.key, "turnFailed "))
    local how, why = e.outcome == "ended" and "" or ", " .. e.outcome, told and "" or ": " .. words.line(e.reason)
    stream:note(e, ("session ended%s%s"):format(how, why), "SpecloomDetail")
  end
end

function EVENTS.messageAdded(stream, e)
  local found = stream:open("given " .. e.seq, "given")
  local about, lines = words.line(e.text):gsub("^#+ ", ""), #vim.split(e.text, "\n")
  found.raw = e.text
  found:set_head(("▸ is told %s · %s"):format(about, words.count(lines, "line")), "SpecloomDetail")
  found:add((e.text:gsub("\n+$", "")))
end

function EVENTS.turnRequested(stream, e)
  -- Asked again: what came of the last try counts no more.
  for _, kind in ipairs({ "text", "thinking", "tool_input" }) do
    for _, found in ipairs((stream:streamed(e, kind))) do
      stream:forget(found)
    end
  end
end

function EVENTS.turnFinished(stream, e)
  stream.sessions[e.sessionId] = e.turn
  if (e.thinking or "") ~= "" then
    stream:whole(e, "thinking", e.thinking)
  end
  stream:whole(e, "text", e.text)
end

function EVENTS.turnFailed(stream, e)
  local again = e.retryInS and (" · again in %gs"):format(e.retryInS) or ""
  -- What was cut off, by a pause that somebody wanted, say, is nobody's failure.
  local sign, group = "✗ ", "SpecloomFailed"
  if e.fault == "interrupted" then
    sign, group = "", "SpecloomDetail"
  end
  stream:note(e, ("%sturn %d: %s%s"):format(sign, e.turn, words.line(e.message), again), group)
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
      found.key, found.kind = key, "tool"
      return found
    end
  end
  return present or stream:open(key, "tool")
end

---@param found specloom.Block
---@param lines specloom.DiffLine[]
local function put_diff(found, lines)
  found.call.diff = #lines > 0
  for _, line in ipairs(lines) do
    local row = block.row("  " .. line[1], line[2])
    row.path, row.line = found.call.path, line[3]
    found:put(row)
  end
end

function EVENTS.toolRequested(stream, e)
  local found, head, path = call_block(stream, e), edits.head(e.name, e.input)
  found.call = { head = head, path = path }
  found:set_head("▶ " .. head, "SpecloomInProgress", path)
  put_diff(found, edits.written(e.name, e.input))
end

---What came of a call or a check, folded away or shown below its head.
---@param found specloom.Block
---@param text string
---@param good boolean
---@param folded boolean
---@param more string behind the head
local function settled(found, text, good, folded, more)
  text = text:gsub("\n+$", "")
  folded = folded and text ~= ""
  found:set(text, folded)
  local head = (folded and "▸ " or "") .. (good and "✓ " or "✗ ") .. found.call.head .. more
  local fine = found.kind == "tool" and "SpecloomTool" or "SpecloomDone"
  found:set_head(head, good and fine or "SpecloomFailed", found.call.path)
end

function EVENTS.toolSettled(stream, e)
  local found = stream.by_key[e.sessionId .. " " .. e.callId]
  local call = found and found.call
  if not call then
    return
  end
  call.settled = true
  if call.diff and not e.isError then
    return found:set_head("✓ " .. call.head, "SpecloomTool", call.path)
  end
  local text = e.text:gsub("\n+$", "")
  local lines = text == "" and 0 or #vim.split(text, "\n", { plain = true })
  local count = lines > 0 and " · " .. words.count(lines, "line") or ""
  settled(found, text, not e.isError, not e.isError or lines > 12, count)
end

function EVENTS.editSettled(stream, e)
  if not e.applied then
    return stream:note(e, ("✗ %s was not changed: %s"):format(e.path, words.line(e.reason)), "SpecloomFailed")
  end
  local found = vim.iter(stream.blocks):rev():find(function(item)
    return item.call and not item.call.settled and (item.call.path or ""):gsub("^%./", "") == e.path
  end)
  if found and (e.diff or "") ~= "" then
    found:set("", false)
    put_diff(found, edits.changed(e.diff))
  end
end

function EVENTS.checkRequested(stream, e)
  if e.phase ~= "before" then
    local found = stream:open("check " .. e.checkId, "check")
    found.call = { head = "verify  " .. words.line(e.command) }
    found:set_head("▶ " .. found.call.head, "SpecloomInProgress")
  end
end

function EVENTS.checkSettled(stream, e)
  local found = stream.by_key["check " .. e.checkId]
  if not found then
    return
  end
  local how = e.timedOut and "timed out" or e.exitCode and "exit " .. e.exitCode or "no exit status"
  local good = e.exitCode == 0
  settled(found, e.output, good, good, (" · %s · %.1fs"):format(how, e.durationS))
  if e.note ~= "" then
    found:put(block.row("  " .. words.line(e.note), "SpecloomDetail", found.level))
  end
end

function EVENTS.promptDelivered(stream, e)
  -- The conversation was given the same words.
  local last = stream.blocks[#stream.blocks]
  if last and last.kind == "given" and last.raw == e.text then
    stream:forget(last)
  end
  stream:open("said " .. e.seq, "said"):add(e.text)
end

function EVENTS.approvalAsked(stream, e)
  -- A command that is asked for stands above, as the call that it belongs to.
  local subject = e.kind == "command" and "" or ": " .. words.line(e.subject)
  stream:note(
    e,
    "? " .. (e.purpose ~= "" and e.purpose or e.kind) .. subject,
    "SpecloomWaiting",
    "asked " .. e.approvalId
  )
end

function EVENTS.approvalAnswered(stream, e)
  local asked = stream.by_key["asked " .. e.approvalId]
  if asked then
    local text = asked.rows[1].text .. (e.allowed and " · allowed" or " · denied")
    asked:set("", false)
    asked:put(block.row(text, "SpecloomDetail"))
  end
end

function EVENTS.noProgressSeen(stream, e)
  stream:note(e, ("goes in circles (%s, %s)"):format(e.circle, words.count(e.turns, "turn")), "SpecloomBlocked")
end

function EVENTS.contextCollapsed(stream, e)
  stream:note(e, ("%s shortened to make room"):format(words.count(e.collapsed, "old result")), "SpecloomDetail")
end

function EVENTS.taskDone(stream, e)
  stream:note(e, ("✓ %s is %s"):format(e.taskId, e.proven and "proven" or "done"), "SpecloomDone")
end

local function failed(form)
  return function(stream, e)
    stream:note(e, form:format(e.taskId, words.line(e.reason)), "SpecloomFailed")
  end
end

EVENTS.taskFailed = failed("✗ %s failed: %s")
EVENTS.attemptFailed = failed("✗ this attempt at %s did not prove it: %s")
EVENTS.taskBlocked = failed("■ %s is blocked: %s")

-- These name their task, but not the agent that worked at it.
local BY_TASK = { "checkRequested", "checkSettled", "taskDone", "taskFailed", "attemptFailed", "taskBlocked" }

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
  return self.tasks[e.taskId] == true and vim.list_contains(BY_TASK, e.type)
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
---@return integer gone how many of their rows were drawn
function Stream:bound()
  local rows, first, gone = 0, 1, 0
  for _, item in ipairs(self.blocks) do
    rows = rows + #item.rows
  end
  while rows > M.KEPT_ROWS and first < #self.blocks and (first > 1 or rows > M.MOST_ROWS) do
    local item = self.blocks[first]
    rows, first, gone = rows - #item.rows, first + 1, gone + item.drawn
    self.dropped = self.dropped + #item.rows
    self.by_key[item.key] = nil
  end
  self.blocks = first > 1 and vim.list_slice(self.blocks, first) or self.blocks
  return gone
end

return M
