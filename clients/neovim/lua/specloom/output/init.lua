--- Buffers with the output of agents: shown, followed, steered. Refuses to keep more than a person would read back.
local block = require("specloom.output.block")
local client = require("specloom.client")
local page = require("specloom.page")
local sheet = require("specloom.output.sheet")
local stream = require("specloom.output.stream")
local tick = require("specloom.tick")
local words = require("specloom.words")

local M = {}

-- Of the past: as many events as fill the buffer, in pages as large as the server gives.
local PAST, PAGE = 3000, 1000
-- Columns that are enough for a file and the output beside it.
local WIDE = 140

---@class specloom.Output
---@field connection specloom.Connection
---@field agent string
---@field project string? id of the log
---@field buf integer
---@field stream specloom.Stream
---@field sheet specloom.Sheet
---@field first specloom.Block
---@field last specloom.Block
---@field since integer where what is shown begins
---@field late fun()[]? what came while the past was being fetched, to be taken up behind it
---@field due boolean
local Output = { soon = tick.soon }
Output.__index = Output

---@type table<integer, specloom.Output> by buffer
local outputs = {}

---What the agent does now, in words.
---@param p specloom.Projection
---@return string text
---@return string group
function Output:doing(p)
  if self.connection.state ~= "live" then
    return self.connection.reason ~= "" and words.line(self.connection.reason) or "no server", "SpecloomBlocked"
  end
  local function is_mine(item)
    return (item.agentId or item.id) == self.agent
  end
  local agent = vim.iter(p.agents):find(is_mine)
  local session = agent and p.session[agent.sessionId]
  local text = "idle"
  if agent then
    text = ("%s works on %s · turn %d"):format(agent.role, agent.taskId or "the plan", agent.turns + 1)
    local cost = session and words.money(session.usage)
    text = cost and text .. " · " .. cost or text
    if vim.iter(p.approvals):any(is_mine) then
      return text .. " · waits for your answer", "SpecloomWaiting"
    end
  end
  if p.run and p.run.state == "paused" then
    return p.run.reason ~= "" and "paused: " .. words.line(p.run.reason) or "paused", "SpecloomBlocked"
  end
  return text, agent and "SpecloomAgent" or "SpecloomDetail"
end

---Words that wait to be heard, and the state.
---@return specloom.Row[]
function Output:below()
  local p, rows = self.connection.projection, {}
  for _, prompt in ipairs(p and p.prompts or {}) do
    if prompt.agentId == self.agent then
      local row = block.row(("» %s  (unheard; x takes it back)"):format(words.line(prompt.text)), "SpecloomPrompt")
      row.prompt = prompt.id
      rows[#rows + 1] = row
    end
  end
  if p then
    local text, group = self:doing(p)
    rows[#rows + 1] = block.row("◆ " .. text, group)
  end
  return rows
end

---What stands before all.
---@return specloom.Row[]
function Output:above()
  if self.stream.dropped == 0 and self.since == 0 then
    return {}
  end
  local path = self.stream.session and (".specloom/sessions/%s.md"):format(self.stream.session)
  local text = "Older output is not kept here" .. (path and "; all of this session: " .. path or "")
  local row = block.row(text, "SpecloomDetail")
  row.path = path
  return { row }
end

function Output:draw()
  self.due = false
  if outputs[self.buf] == self and vim.api.nvim_buf_is_loaded(self.buf) then
    local gone = self.stream:bound()
    self.first:show(self:above())
    self.last:show(self:below())
    local blocks = vim.list_extend({ self.first }, self.stream.blocks)
    blocks[#blocks + 1] = self.last
    self.sheet:draw(blocks, gone)
  end
end

---Fetches events after the last one that is in the stream, and takes up those that came meanwhile.
function Output:catch_up()
  self.late = self.late or {}
  local current, seq = self.stream, self.stream.seq
  self.connection:request("specloom/events/list", { since = seq, limit = PAGE }, function(_, result)
    if self.stream ~= current then
      return
    end
    for _, event in ipairs(result and result.events or {}) do
      current:event(event)
    end
    self:soon()
    if result and result.more and current.seq > seq then
      return self:catch_up()
    end
    local late = self.late or {}
    self.late = nil
    for _, take in ipairs(late) do
      take()
    end
    self.connection:recall()
  end)
end

---Begins anew, with the newest part of the past.
function Output:begin()
  local connection = self.connection
  local p = connection.projection ---@cast p -?
  self.project = connection.project_id
  self.stream, self.late = stream.new(self.agent, p.sessions), nil
  self.first, self.last = block.new("first", "note"), block.new("last", "note")
  self.sheet:clear()
  self.since = math.max(0, p.seq - PAST)
  self.stream.seq = self.since
  self:catch_up()
end

---@param kind "event"|"output"
---@param value table
function Output:heard(kind, value)
  local function take()
    self.stream[kind](self.stream, value)
  end
  if self.late then
    table.insert(self.late, take)
  else
    take()
    self:soon()
  end
end

local function listen()
  listen = function() end
  ---@param kind specloom.Kind
  ---@param visit fun(output: specloom.Output, value: any)
  local function on(kind, visit)
    client.on(kind, function(connection, value)
      for _, output in pairs(outputs) do
        if output.connection == connection then
          visit(output, value)
        end
      end
    end)
  end
  for _, kind in ipairs({ "event", "output" }) do
    on(kind, function(output, value)
      output:heard(kind, value)
    end)
  end
  on("snapshot", function(output)
    if output.project ~= output.connection.project_id then
      return output:begin()
    end
    output:soon()
  end)
  on("state", Output.soon)
end

local OPTIONS = {
  wrap = true,
  linebreak = true,
  breakindent = true,
  breakindentopt = "shift:4",
  foldmethod = "expr",
  foldexpr = "v:lua.require'specloom.output'.level(v:lnum)",
  foldtext = "",
  foldlevel = 0,
  foldenable = true,
  cursorline = false,
  winfixwidth = false,
}

---@param connection specloom.Connection
---@param agent string
---@param found? integer a buffer that is to become the output
---@return specloom.Output
local function made(connection, agent, found)
  listen()
  local title = ("Output of %s %%<%%=i: speak · g? help "):format((agent:gsub("%%", "%%%%")))
  local look = { options = OPTIONS, statusline = title }
  local buf = page.buffer(("output%s/%s"):format(connection.root, agent), connection, look, found)
  local output = { connection = connection, agent = agent, buf = buf, sheet = sheet.new(buf), since = 0, due = false }
  outputs[buf] = setmetatable(output, Output)
  vim.api.nvim_create_autocmd("BufUnload", {
    buffer = buf,
    once = true,
    callback = function()
      outputs[buf] = nil
    end,
  })
  output:begin()
  require("specloom.output.keys").map(output)
  vim.bo[buf].filetype = "specloom-output"
  return output
end

---@param connection specloom.Connection
---@param agent string
---@return specloom.Output
local function of(connection, agent)
  for _, output in pairs(outputs) do
    if output.connection == connection and output.agent == agent then
      return output
    end
  end
  return made(connection, agent)
end

---The level of a line, for 'foldexpr'.
---@param line integer from 1
---@return string
function M.level(line)
  local output = outputs[vim.api.nvim_get_current_buf()]
  local row = output and output.sheet.rows[line]
  return row and row.level or "0"
end

---Makes a buffer the output of an agent, in whatever windows it is.
---@param connection specloom.Connection
---@param buf integer
---@param agent string
function M.take(connection, buf, agent)
  made(connection, agent, buf):draw()
end

---Shows an agent's output in the current window.
---@param connection specloom.Connection
---@param agent string
---@return specloom.Output
function M.show(connection, agent)
  local output = of(connection, agent)
  vim.api.nvim_win_set_buf(0, output.buf)
  output:draw()
  vim.api.nvim_win_set_cursor(0, { vim.api.nvim_buf_line_count(output.buf), 0 })
  return output
end

---The agent of a buffer, else the first that works, else the one that worked last.
---@param connection specloom.Connection
---@return string?
local function agent_here(connection)
  local here, p = outputs[vim.api.nvim_get_current_buf()], connection.projection ---@cast p -?
  if here and here.connection == connection then
    return here.agent
  end
  -- Between the start of a task and that of its session no agent is listed.
  local agent, task, last = p.agents[1], p.tasks[next(p.working)], p.sessions[#p.sessions]
  return agent and agent.id or task and task.agentId or last and last.agentId
end

---Shows an agent's output in a window beside the current one, and goes there.
---@param connection specloom.Connection
---@param agent? string by default the one that works
---@return specloom.Output?
function M.open(connection, agent)
  agent = agent or agent_here(connection)
  if not agent then
    return require("specloom.tell").warn("no agent has worked here yet; run something first")
  end
  local output = of(connection, agent)
  local window = vim.fn.bufwinid(output.buf)
  if window ~= -1 then
    vim.api.nvim_set_current_win(window)
    return output
  end
  -- Beside the files where both stay readable, else below them.
  require("specloom.tree.places").leave()
  vim.cmd(vim.api.nvim_win_get_width(0) >= WIDE and "rightbelow vsplit" or "rightbelow split")
  return M.show(connection, agent)
end

return M
