-- A question that was dismissed stays in the queue; it is seen, and answered, at the task that it is about.
local steps = require("steps")

local TASK = "1.1 Write the greeting"
local ALLOW = [[Allow once: python3 -c "from greet import greet; assert 'Ann' in greet('Ann')"]]

steps.play(function()
  steps.answer = function()
    return 0
  end
  local spec = steps.edit("specs/01-greeter.md")
  steps.wait_for_lens(spec, TASK, "Run")
  steps.act(spec, TASK, "Run")
  steps.asked("python3 -c")
  steps.wait("progress that says what it waits for", function()
    return vim.iter(steps.progress):any(function(value)
      return value.message == "0/1 waits for your answer"
    end)
  end)
  steps.wait_for_lens(spec, TASK, ALLOW)
  steps.wait_for_lens(spec, "---", ALLOW)
  steps.act(spec, TASK, ALLOW)
  steps.wait_for_lens(spec, TASK, "proven")
  steps.wait("the end of the run", function()
    return steps.progress[#steps.progress].kind == "end"
  end)
  steps.stop(spec)
end)
