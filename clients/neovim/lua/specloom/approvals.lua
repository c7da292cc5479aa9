--- Questions that wait for a person: put one at a time, when nobody types, and closed when somebody else answers.
--- Refuses to answer by itself, and to ask again what was put off, unless it is asked to.
local choice = require("specloom.choice")
local client = require("specloom.client")
local tell = require("specloom.tell")

local M = {}

---@class specloom.Asked
---@field connection specloom.Connection
---@field approval specloom.Approval

-- Between the last key and a question, so that no key that was meant for something else answers it.
local IDLE_MS = 600
local LOOK_MS = 200
-- Who is busy for longer is told.
local BUSY_MS = 5000

---@type table<string, true> ids of what the person put off
local put_off = {}
---@type table<string, true> ids of what the person answered, until the server says so, or is lost
local answered = {}
---@type table<string, true> ids of what was said to wait
local announced = {}
---@type { asked: specloom.Asked, withdraw: fun()? }?
local shown
local looking = false
local looked_since = 0
local last_key = 0
local namespace = vim.api.nvim_create_namespace("specloom.approvals")

--- All that wait, the oldest first.
---@param connection? specloom.Connection
---@return specloom.Asked[]
local function waiting(connection)
  local found = {}
  for _, each in ipairs(connection and { connection } or client.all()) do
    for _, approval in ipairs(each.projection and each.state ~= "gone" and each.projection.approvals or {}) do
      found[#found + 1] = { connection = each, approval = approval }
    end
  end
  table.sort(found, function(a, b)
    return a.approval.askedAt < b.approval.askedAt
  end)
  return found
end

--- Puts a question: who wants what, and exactly what a yes allows.
---@param asked specloom.Asked
local function put(asked)
  local approval, mine = asked.approval, { asked = asked }
  local function settle(answer)
    if shown ~= mine then
      return
    end
    shown = nil
    if answer and answer ~= "" then
      answered[approval.id] = true
      asked.connection:order("specloom/approval/answer", { approvalId = approval.id, choice = answer })
    else
      put_off[approval.id] = true
      tell.echo("it waits; :Specloom approve puts it again")
    end
    M.consider()
  end
  shown = mine
  local text = approval.purpose .. "\n\n" .. approval.subject
  if #approval.choices == 0 then
    mine.withdraw = choice.input(text, settle)
  else
    mine.withdraw = choice.select(approval.choices, "Specloom asks", text, function(index)
      settle(approval.choices[index])
    end)
  end
end

local function is_busy()
  local mode = vim.api.nvim_get_mode()
  local typing = mode.mode ~= "n" or mode.blocking or vim.fn.reg_recording() ~= "" or vim.fn.getcmdwintype() ~= ""
  local elsewhere = vim.bo.buftype == "prompt" or vim.api.nvim_win_get_config(0).relative ~= ""
  return typing or elsewhere or vim.uv.now() - last_key < IDLE_MS
end

---@return specloom.Asked?
local function next_one()
  return vim.iter(waiting()):find(function(asked)
    return not put_off[asked.approval.id] and not answered[asked.approval.id]
  end)
end

---@param asked specloom.Asked
local function announce(asked)
  local id = asked.approval.id
  if not announced[id] and require("specloom.config").get().notify then
    announced[id] = true
    tell.say("a question waits for you; :Specloom approve puts it")
  end
end

local function look()
  local asked = not shown and next_one()
  if asked and is_busy() then
    if vim.uv.now() - looked_since > BUSY_MS then
      announce(asked)
    end
    return vim.defer_fn(look, LOOK_MS)
  end
  looking = false
  vim.on_key(nil, namespace)
  if asked then
    put(asked)
  end
end

--- Puts the oldest question as soon as nobody types.
function M.consider()
  local asked = not shown and not looking and next_one()
  if not asked then
    return
  elseif require("specloom.config").get().ask == "never" then
    return announce(asked)
  end
  looking, last_key, looked_since = true, vim.uv.now(), vim.uv.now()
  vim.on_key(function()
    last_key = vim.uv.now()
  end, namespace)
  look()
end

--- What is shown is closed if it does not wait any more.
local function withdraw_answered()
  local function is_shown(asked)
    return asked.approval.id == shown.asked.approval.id
  end
  if shown and not vim.iter(waiting(shown.asked.connection)):any(is_shown) then
    local withdraw = shown.withdraw
    shown = nil
    withdraw()
    tell.echo("the question was settled elsewhere")
  end
end

--- Puts a question now; the person chooses which, where several wait.
---@param connection specloom.Connection
---@param id? string of the one that is meant
function M.choose(connection, id)
  local all = vim.tbl_filter(function(asked)
    return not id or asked.approval.id == id
  end, waiting(connection))
  if shown and #all > 0 then
    -- A window of others may be gone without a word.
    local withdraw = shown.withdraw
    shown = nil
    withdraw()
  end
  if #all == 0 then
    return tell.say("nothing waits for you")
  elseif #all == 1 then
    return put(all[1])
  end
  local labels = vim.tbl_map(function(asked)
    return ("%s: %s"):format(asked.approval.purpose, asked.approval.subject)
  end, all)
  choice.select(labels, ("%d questions wait"):format(#all), "", function(index)
    if index and not shown then
      put(all[index])
    end
  end)
end

--- All that wait as a list in a window, each in full.
---@param connection specloom.Connection
function M.list(connection)
  local lines = {}
  for _, asked in ipairs(waiting(connection)) do
    local approval = asked.approval
    local parts = { "## " .. approval.purpose, "", approval.subject, "" }
    for _, each in ipairs(approval.choices) do
      parts[#parts + 1] = "- " .. each
    end
    vim.list_extend(lines, vim.split(table.concat(parts, "\n") .. "\n", "\n"))
  end
  require("specloom.page").show("approvals", #lines > 0 and lines or { "Nothing waits for you." })
end

function M.begin()
  client.on("event", function(_, event)
    if event.type == "approvalAnswered" then
      put_off[event.approvalId], answered[event.approvalId], announced[event.approvalId] = nil, nil, nil
      withdraw_answered()
    elseif event.type == "approvalAsked" then
      M.consider()
    end
  end)
  client.on("snapshot", function()
    withdraw_answered()
    M.consider()
  end)
  client.on("state", function()
    answered = {}
    withdraw_answered()
  end)
end

return M
