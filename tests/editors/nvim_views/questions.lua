-- Questions where people have pickers of their own, or want no questions: each is put once, in full, and told otherwise.
package.path = vim.fs.dirname(debug.getinfo(1, "S").source:sub(2)) .. "/?.lua;" .. package.path
local loopback = require("loopback")
local cases = require("cases")
local same = loopback.same

local connection = loopback.start(loopback.project(1, 1, vim.env.STORY_ROOT), vim.env.STORY_ROOT)
vim.cmd.runtime("plugin/specloom.lua")
-- What is at the other end needs no start.
require("specloom.server").start = function()
  return true
end
require("specloom.approvals").begin()

---What pickers are given, which take no prompt of several lines, and do not tell when they are left.
local given = {}

local function kept(options, chosen)
  assert(not options.prompt:find("\n"), "a prompt of several lines")
  given[#given + 1] = { prompt = options.prompt, chosen = chosen }
end

vim.ui.select = function(_, options, chosen)
  kept(options, chosen)
end
vim.ui.input = kept

---@param count integer
local function must_be_given(count)
  assert(
    vim.wait(5000, function()
      return #given == count
    end, 10),
    #given .. " questions were put"
  )
end

---@return string[] of the windows above all, of which there is one at most
local function above()
  local found = {}
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(window).relative ~= "" then
      vim.list_extend(found, vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false))
    end
  end
  return found
end

---@param id string
---@param subject string
---@param choices string[]
local function ask(id, subject, choices)
  given = {}
  local question = { approvalId = id, kind = "command", purpose = "runs a command", subject = subject }
  loopback.event("approvalAsked", vim.tbl_extend("error", question, { choices = choices }))
end

---@return table? the newest order, if it was an answer
local function answer()
  loopback.settle()
  local newest = loopback.asked[#loopback.asked]
  return newest.method == "specloom/approval/answer" and newest.params or nil
end

function cases.a_picker_is_given_a_line_and_the_whole_rule_stands_above_it()
  ask("q1", "make\nmake install", { "Yes", "No" })
  must_be_given(1)
  same(given[1].prompt, "runs a command make make install")
  same(above(), { " runs a command", " ", " make", " make install" })
  same(vim.fn.win_gettype(), "")
end

function cases.a_question_that_was_lost_with_its_picker_is_put_again()
  vim.cmd.Specloom("approve")
  loopback.settle()
  same({ #given, #above() }, { 2, 4 })
  given[1].chosen("Yes", 1)
  same(answer(), nil)
  given[2].chosen("No", 2)
  same({ answer().choice, above() }, { "No", {} })
end

function cases.what_is_answered_is_put_again_only_if_the_server_was_lost_before_it_heard()
  loopback.settle(400)
  same(#given, 2)
  connection:become("gone", "killed")
  connection:become("live")
  require("specloom.approvals").consider()
  must_be_given(3)
  loopback.event("approvalAnswered", { approvalId = "q1", allowed = false })
  loopback.settle()
  same(above(), {})
end

function cases.words_are_asked_for_in_the_same_way()
  ask("q2", "Whom shall it greet?", {})
  must_be_given(1)
  same({ given[1].prompt, #above() }, { "runs a command Whom shall it greet?", 3 })
  given[1].chosen("Ann")
  same({ answer().choice, above() }, { "Ann", {} })
  loopback.event("approvalAnswered", { approvalId = "q2", allowed = true })
end

function cases.who_wants_no_questions_is_told_that_one_waits()
  require("specloom").setup({ ask = "never" })
  ask("q3", "ls", { "Yes" })
  loopback.settle()
  local told = require("specloom.tell").kept
  same({ #given, told[#told] }, { 0, "Specloom: a question waits for you; :Specloom approve puts it" })
end

cases()
