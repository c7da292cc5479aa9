--- Buffers with the output of agents: shown, followed, steered. Refuses to keep more than a person would read back.
local block = require("specloom.output.block")
local client = require("specloom.client")
local keys = require("specloom.output.keys")
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
---@field since integer where what is shown begins
---@field late fun()[]? what came while the past was being fetched, to be taken up behind it
---@field due boolean
local Output = {}
Output.__index = Output

---@type table<integer, specloom.Output> by buffer
local outputs = {}

---@param p specloom.Projection
---@return string?
local function paused(p)
  if not p.run or p.run.state ~= "paused" then
    return nil
  end
  return p.run.reason ~= "" and "paused: " .. words.line(p.run.reason) or "paused"
end

---What the agent does now, in words.
---@param p specloom.Projection
---@return string text
---@return string group
function Output:doing(p)
  if self.connection.state ~= "live" then
    return self.connection.reason ~= "" and words.line(self.connection.reason) or "no server", "SpecloomBlocked"
  end
  for _, agent in ipairs(p.agents) do
    if agent.id == self.agent then
      local asks = vim.iter(p.approvals):any(function(asked)
        return asked.agentId == self.agent
      end)
      local session = p.session[agent.sessionId]
      local parts = { ("%s works on %s"):format(agent.role, agent.taskId or "the plan") }
      parts[2] = ("turn %d"):format(agent.turns + 1)
      parts[3] = session and words.money(session.usage) or nil
      local text = table.concat(parts, " · ")
      if asks then
        return text .. " · waits for your answer", "SpecloomWaiting"
      end
      return paused(p) or text, paused(p) and "SpecloomBlocked" or "SpecloomAgent"
    end
  end
  return paused(p) or "idle", "SpecloomDetail"
end

---Words that wait to be heard, and the state.
---@return specloom.Row[]
function Output:tail()
  local p = self.connection.projection
  if not p then
    return {}
  end
  local rows = {}
  for _, prompt in ipairs(p.prompts) do
    if prompt.agentId == self.agent then
      local said = ("» %s  (unheard; x takes it back)"):format(words.line(prompt.text))
      local row = block.row(said, "SpecloomPrompt", "0")
      row.prompt = prompt.id
      rows[#rows + 1] = row
    end
  end
  local text, group = self:doing(p)
  rows[#rows + 1] = block.row("◆ " .. text, group, "0")
  return rows
end

---@return specloom.Row?
function Output:note()
  local from = self.stream.dropped > 0 or self.since > 0
  if not from then
    return nil
  end
  local path = self.stream.session and (".specloom/sessions/%s.md"):format(self.stream.session)
  local text = "Older output is not kept here" .. (path and "; all of this session: " .. path or "")
  local row = block.row(text, "SpecloomDetail", "0")
  row.path = path
  return row
end

function Output:draw()
  self.due = false
  if vim.api.nvim_buf_is_valid(self.buf) then
    self.stream:bound()
    self.sheet:draw(self.stream, self:note(), self:tail())
  end
end

Output.soon = tick.soon

---Fetches events after the last one that is in the stream, and takes up those that came meanwhile.
function Output:catch_up()
  self.late = self.late or {}
  local current, seq = self.stream, self.stream.seq
  self.connection:request("specloom/events/list", { since = seq, limit = PAGE }, function(refused, result)
    if self.stream ~= current then
      return
    end
    for _, event in ipairs(result and result.events or {}) do
      self.stream:event(event)
    end
    self:soon()
    if not refused and result and result.more and self.stream.seq > seq then
      return self:catch_up()
    end
    local late = self.late or {}
    self.late = nil
    for _, take in ipairs(late) do
      take()
    end
  end)
end

---Begins anew, with the newest part of the past.
function Output:begin()
  local connection = self.connection
  local p = connection.projection ---@cast p -?
  self.project = connection.project_id
  self.stream, self.late = stream.new(self.agent, p.sessions), nil
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

local function each(connection, visit)
  for buf, output in pairs(outputs) do
    if not vim.api.nvim_buf_is_valid(buf) then
      outputs[buf] = nil
    elseif not connection or output.connection == connection then
      visit(output)
    end
  end
end

local function listen()
  listen = function() end
  for _, kind in ipairs({ "event", "output" }) do
    client.on(kind, function(connection, value)
      each(connection, function(output)
        output:heard(kind, value)
      end)
    end)
  end
  client.on("snapshot", function(connection)
    each(connection, function(output)
      if output.project ~= connection.project_id then
        output:begin()
      else
        output:soon()
      end
    end)
  end)
  client.on("state", function(connection)
    each(connection, function(output)
      output:soon()
    end)
  end)
end

---@param connection specloom.Connection
---@param agent string
---@return specloom.Output
local function made(connection, agent)
  local buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(buf, ("specloom://output%s/%s"):format(connection.root, agent))
  vim.bo[buf].buftype, vim.bo[buf].bufhidden, vim.bo[buf].swapfile = "nofile", "hide", false
  vim.bo[buf].modifiable, vim.bo[buf].undolevels = false, -1
  vim.b[buf].specloom_root = connection.root
  local output = setmetatable({ connection = connection, agent = agent, buf = buf, since = 0, due = false }, Output)
  output.sheet = sheet.new(buf)
  outputs[buf] = output
  output:begin()
  keys.map(output)
  vim.bo[buf].filetype = "specloom-output"
  return output
end

---@param connection specloom.Connection
---@param agent string
---@return specloom.Output
local function of(connection, agent)
  for buf, output in pairs(outputs) do
    if output.connection == connection and output.agent == agent and vim.api.nvim_buf_is_valid(buf) then
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

local OPTIONS = {
  wrap = true,
  linebreak = true,
  breakindent = true,
  number = false,
  relativenumber = false,
  signcolumn = "no",
  foldcolumn = "0",
  foldmethod = "expr",
  foldexpr = "v:lua.require'specloom.output'.level(v:lnum)",
  foldtext = "",
  foldlevel = 0,
  foldenable = true,
  list = false,
  spell = false,
  cursorline = false,
  winfixwidth = false,
}

---Shows an agent's output in the current window.
---@param connection specloom.Connection
---@param agent string
---@return specloom.Output
function M.show(connection, agent)
  listen()
  local output = of(connection, agent)
  vim.api.nvim_win_set_buf(0, output.buf)
  for name, value in pairs(OPTIONS) do
    vim.api.nvim_set_option_value(name, value, { scope = "local", win = 0 })
  end
  vim.opt_local.fillchars:append({ fold = " " })
  local line = (" Output of %s %%=i says something · g? help "):format((agent:gsub("%%", "%%%%")))
  vim.api.nvim_set_option_value("statusline", line, { scope = "local", win = 0 })
  output:draw()
  vim.api.nvim_win_set_cursor(0, { vim.api.nvim_buf_line_count(output.buf), 0 })
  return output
end

---The agent of a buffer, else the first that works, else the one that worked last.
---@param connection specloom.Connection
---@return string?
function M.agent(connection)
  local here = outputs[vim.api.nvim_get_current_buf()]
  local p = connection.projection
  if here and here.connection == connection then
    return here.agent
  elseif not p then
    return nil
  end
  local task, last = next(p.working), p.sessions[#p.sessions]
  return p.agents[1] and p.agents[1].id or task and p.tasks[task].agentId or last and last.agentId
end

local function found(connection, agent)
  local why
  if not connection then
    connection, why = client.of()
  end
  agent = connection and (agent or M.agent(connection))
  if not agent then
    why = why and why ~= "" and why or "Specloom: no agent has worked here yet; run something first"
    vim.notify(why, vim.log.levels.WARN, { title = "Specloom" })
  end
  return connection, agent
end

---Shows an agent's output in a window beside the current one, and goes there.
---@param connection? specloom.Connection by default that of the current buffer
---@param agent? string by default the one that works
---@return specloom.Output?
function M.open(connection, agent)
  connection, agent = found(connection, agent)
  if not connection or not agent then
    return nil
  end
  listen()
  local output = of(connection, agent)
  for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if vim.api.nvim_win_get_buf(window) == output.buf then
      vim.api.nvim_set_current_win(window)
      return output
    end
  end
  -- Beside the files where both stay readable, else below them.
  require("specloom.tree.places").leave()
  vim.cmd(vim.api.nvim_win_get_width(0) >= WIDE and "rightbelow vsplit" or "rightbelow split")
  return M.show(connection, agent)
end

---Says something to an agent; without words, opens a line to type them.
---@param connection? specloom.Connection
---@param agent? string
---@param text? string
function M.say(connection, agent, text)
  connection, agent = found(connection, agent)
  if not connection or not agent then
    return
  end
  local say = require("specloom.output.say")
  if text and text ~= "" then
    return say.send(connection, agent, text)
  end
  M.open(connection, agent)
  say.open(connection, agent)
end

return M
