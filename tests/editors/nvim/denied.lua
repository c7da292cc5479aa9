-- A verify command that the person denies blocks its task, with the command shown; unblocked and allowed, it runs.
local steps = require("steps")

local TASK = "1.1 Write the greeting"
local COMMAND = [[python3 -c "from greet import greet; assert 'Ann' in greet('Ann')"]]

local function ended()
  local last = steps.progress[#steps.progress]
  return last and last.kind == "end"
end

local function deny(spec)
  steps.answer = function(_, choices)
    return vim.startswith(choices[3], "3: Deny") and 3 or 0
  end
  steps.wait_for_lens(spec, TASK, "Run")
  steps.act(spec, TASK, "Run")
  local question = steps.asked(COMMAND)
  assert(#question.choices == 3, "not once, for good, and no")
  steps.wait("the end of the run", ended)
  steps.wait("the command in the reason of the block", function()
    return steps.diagnostic(spec, TASK, COMMAND)
  end)
  assert(steps.hover(spec, TASK):find("blocked", 1, true))
  assert(not vim.uv.fs_stat(vim.env.STORY_ROOT .. "/greet.py"), "something ran although nothing was granted")
end

local function allow(spec)
  steps.questions, steps.progress = {}, {}
  steps.answer = function()
    return 1
  end
  steps.wait_for_lens(spec, TASK, "Unblock")
  steps.act(spec, TASK, "Unblock")
  steps.wait_for_lens(spec, TASK, "Run")
  steps.act(spec, TASK, "Run")
  steps.asked(COMMAND)
  steps.wait_for_lens(spec, TASK, "proven")
  steps.wait("the end of the run", ended)
end

steps.play(function()
  local spec = steps.edit("specs/01-greeter.md")
  deny(spec)
  allow(spec)
  steps.stop(spec)
end)
