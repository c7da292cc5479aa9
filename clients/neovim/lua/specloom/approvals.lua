--- Questions that wait for a person: put one at a time, when nobody types, and closed when somebody else answers.
--- Refuses to answer by itself, and to ask again what was put off, unless it is asked to.
local client = require("specloom.client")

local M = {}

---@class specloom.Asked
---@field connection specloom.Connection
---@field approval specloom.Approval

-- Between the last key and a question, so that no key that was meant for something else answers it.
local IDLE_MS = 600
local LOOK_MS = 200

---@type table<string, true> ids of what the person put off
local put_off = {}
---@type { asked: specloom.Asked, choosing: specloom.Choosing? }?
local shown
---@type uv.uv_timer_t?
local looking
local last_key = 0
local namespace = vim.api.nvim_create_namespace("specloom.approvals")

--- All that wait, the oldest first.
---@param connection? specloom.Connection
---@return specloom.Asked[]
function M.waiting(connection)
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

--- The question in words: who wants what, and exactly what a yes allows.
---@param approval specloom.Approval
---@return string
function M.describe(approval)
  return approval.purpose .. "\n\n" .. approval.subject
end

---@param asked specloom.Asked
---@param choice string
local function answer(asked, choice)
  local params = { approvalId = asked.approval.id, choice = choice }
  asked.connection:order("specloom/approval/answer", params, function(refused)
    if refused then
      require("specloom.tell").warn(refused)
    end
  end)
end

--- Neovim's own line of input is left as by hand; another one stays, and its answer comes too late.
local function leave_input()
  if require("specloom.tell").is_stock(vim.ui.input) and vim.api.nvim_get_mode().mode:find("^c") then
    vim.api.nvim_input("<C-c>")
  end
end

---@param asked specloom.Asked
local function put(asked)
  local approval = asked.approval
  local function settle(choice)
    if not shown or shown.asked ~= asked then
      return
    end
    shown = nil
    if choice and choice ~= "" then
      answer(asked, choice)
    else
      put_off[approval.id] = true
      require("specloom.tell").echo("the question waits; :Specloom approve puts it again")
    end
    M.consider()
  end
  shown = { asked = asked }
  if #approval.choices == 0 then
    shown.choosing = { withdraw = leave_input }
    vim.ui.input({ prompt = M.describe(approval) .. "\n> " }, settle)
  else
    local choosing = require("specloom.choice").put(approval.choices, M.describe(approval), settle)
    if shown and shown.asked == asked then
      shown.choosing = choosing
    end
  end
end

local function is_busy()
  local mode = vim.api.nvim_get_mode()
  local typing = mode.mode ~= "n" or mode.blocking or vim.fn.reg_recording() ~= "" or vim.fn.getcmdwintype() ~= ""
  local elsewhere = vim.bo.buftype == "prompt" or vim.api.nvim_win_get_config(0).relative ~= ""
  return typing or elsewhere or vim.uv.now() - last_key < IDLE_MS
end

local function rest()
  if looking then
    looking:stop()
    looking:close()
    looking = nil
    vim.on_key(nil, namespace)
  end
end

---@return specloom.Asked?
local function next_one()
  for _, asked in ipairs(M.waiting()) do
    if not put_off[asked.approval.id] then
      return asked
    end
  end
end

--- Puts the oldest question as soon as nobody types.
function M.consider()
  if shown or looking or require("specloom.config").get().ask == "never" or not next_one() then
    return
  end
  last_key = vim.uv.now()
  vim.on_key(function()
    last_key = vim.uv.now()
  end, namespace)
  looking = assert(vim.uv.new_timer())
  looking:start(
    LOOK_MS,
    LOOK_MS,
    vim.schedule_wrap(function()
      local asked = next_one()
      if not looking or not asked or shown then
        return rest()
      elseif not is_busy() then
        rest()
        put(asked)
      end
    end)
  )
end

--- What is shown is closed if it does not wait any more.
local function withdraw_answered()
  if not shown then
    return
  end
  for _, asked in ipairs(M.waiting(shown.asked.connection)) do
    if asked.approval.id == shown.asked.approval.id then
      return
    end
  end
  local was = shown
  shown = nil
  if was.choosing then
    was.choosing.withdraw()
  end
  require("specloom.tell").echo("the question was answered elsewhere, or is none any more")
end

---@param asked specloom.Asked
local function label(asked)
  return ("%s: %s"):format(asked.approval.purpose, (asked.approval.subject:gsub("\n", " ⏎ ")))
end

--- Puts a question now; the person chooses which, where several wait.
---@param connection? specloom.Connection
function M.choose(connection)
  local all = M.waiting(connection)
  if #all == 0 then
    return require("specloom.tell").info("Specloom: nothing waits for you")
  elseif shown then
    return
  elseif #all == 1 then
    return put(all[1])
  end
  local labels = vim.tbl_map(label, all)
  require("specloom.choice").put(labels, ("%d questions wait"):format(#all), function(chosen)
    for number, text in ipairs(labels) do
      if text == chosen then
        return put(all[number])
      end
    end
  end)
end

--- Puts one question now.
---@param connection specloom.Connection
---@param id string
function M.put(connection, id)
  for _, asked in ipairs(M.waiting(connection)) do
    if asked.approval.id == id and not shown then
      put(asked)
    end
  end
end

--- All that wait as a list in a window, each in full.
---@param connection? specloom.Connection
function M.list(connection)
  local lines = {}
  for _, asked in ipairs(M.waiting(connection)) do
    vim.list_extend(lines, vim.split(("## %s\n\n%s\n"):format(asked.approval.purpose, asked.approval.subject), "\n"))
    for _, choice in ipairs(asked.approval.choices) do
      vim.list_extend(lines, vim.split("- " .. choice, "\n"))
    end
    lines[#lines + 1] = ""
  end
  if #lines == 0 then
    lines = { "Nothing waits for you." }
  end
  require("specloom.page").show("approvals", lines)
end

function M.begin()
  client.on("event", function(_, event)
    if event.type == "approvalAnswered" then
      put_off[event.approvalId] = nil
      withdraw_answered()
    elseif event.type == "approvalAsked" then
      M.consider()
    end
  end)
  client.on("snapshot", function()
    withdraw_answered()
    M.consider()
  end)
  client.on("state", withdraw_answered)
end

return M
