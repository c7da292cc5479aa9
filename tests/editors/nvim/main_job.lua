-- requirements.md → spec → an edit in a modified buffer → the save → the proof → `u` → the stale proof.
local steps = require("steps")

local TASK = "1.1 End with an exclamation mark"
local OWN = "# my own line"
local LATER = "# typed meanwhile"

local function plan()
  local requirements = steps.edit("requirements.md")
  local client = assert(steps.client(requirements))
  assert(client.server_capabilities.codeActionProvider, "no code actions")
  steps.wait("the duplicate id in requirements.md", function()
    return steps.diagnostic(requirements, "- R1.2 THE greeting SHALL be short", "R1.2")
  end)
  local twice = steps.line_of(requirements, "SHALL be short")
  vim.api.nvim_buf_set_lines(requirements, twice, twice + 1, false, {})
  steps.wait("no diagnostics once it is gone", function()
    return #vim.diagnostic.get(requirements) == 0
  end)
  vim.cmd.write()

  steps.wait_for_lens(requirements, "# Greeter", "Generate specs")
  steps.act(requirements, "# Greeter", "Generate specs")
  steps.wait("progress of the plan", function()
    return vim.iter(steps.progress):any(function(value)
      return value.kind == "begin" and value.title == "Specloom plan"
    end)
  end)
  return requirements
end

local function watch_spec()
  steps.wait("half of the spec on disk", function()
    return steps.disk("specs/01-greeter.md"):find("## Purpose", 1, true)
  end)
  local spec = steps.edit("specs/01-greeter.md")
  steps.wait("half of the spec", function()
    return steps.text(spec):find("## Purpose", 1, true)
  end)
  assert(steps.text(spec):find("status: generating", 1, true), "a spec that is written says so")
  steps.release("half")
  steps.wait("the rest of the spec", function()
    return steps.text(spec):find(TASK, 1, true) and not steps.text(spec):find("status: generating", 1, true)
  end)
  steps.wait("the end of the plan", function()
    return steps.progress[#steps.progress].kind == "end"
  end)
  return spec
end

local function run_beside_a_person(spec)
  local code = steps.edit("greet.py")
  steps.type_above(code, "def greet", OWN)
  steps.wait_for_lens(spec, TASK, "Run")
  steps.act(spec, TASK, "Run")
  steps.asked("python3 -c")
  steps.wait("a file read by the agent", function()
    return vim.iter(steps.progress):any(function(value)
      return value.title == "Specloom run"
    end)
  end)
  steps.type_above(code, "def greet", LATER)
  steps.release("typed")
  steps.wait("the edit of the agent in the open buffer", function()
    return steps.text(code):find('name + "!"', 1, true)
  end)
  assert(vim.bo[code].modified, "an edit of the agent is not saved by itself")
  assert(not steps.disk("greet.py"):find("!", 1, true), "the disk changed without a save")
  assert(vim.startswith(steps.text(code), OWN .. "\n" .. LATER .. "\n"), "lines of the person are gone")
  return code
end

local function save_and_prove(spec, code)
  steps.asked("Save 1 file")
  vim.api.nvim_set_current_buf(code)
  vim.cmd.write()
  steps.wait_for_lens(spec, TASK, "proven")
  steps.wait("the box of the task", function()
    return steps.text(spec):find("- [x] " .. TASK, 1, true)
  end)
  steps.wait("the end of the run", function()
    return steps.progress[#steps.progress].kind == "end"
  end)
  steps.wait("no problem in the spec", function()
    return #vim.diagnostic.get(spec) == 0
  end)
  assert(steps.hover(spec, TASK):find("exited with 0", 1, true), "the hover shows the evidence")
end

local function undo(spec, code)
  vim.api.nvim_set_current_buf(code)
  vim.cmd.undo()
  local text = steps.text(code)
  assert(not text:find("!", 1, true), "one undo takes the edit of the agent back")
  assert(vim.startswith(text, OWN .. "\n" .. LATER .. "\n"), "and nothing else")
  vim.cmd.write()
  steps.wait("the warning that the proof is stale", function()
    local found = steps.diagnostic(spec, TASK, "stale")
    return found and found.severity == vim.diagnostic.severity.WARN
  end)
  steps.wait_for_lens(spec, TASK, "proven, stale")
end

local function verify_again(spec)
  steps.wait_for_lens(spec, TASK, "Verify again")
  steps.act(spec, TASK, "Verify again")
  steps.wait("the error that the proof does not hold", function()
    local found = steps.diagnostic(spec, TASK, "failed")
    return found and found.severity == vim.diagnostic.severity.ERROR
  end)
  steps.wait("the empty box", function()
    return steps.text(spec):find("- [ ] " .. TASK, 1, true)
  end)
  steps.wait_for_lens(spec, TASK, "Retry")
end

local function look_from_outside()
  local command = { vim.env.STORY_SPECLOOM, "status", "--workspace", vim.env.STORY_ROOT }
  local seen = vim.system(command, { text = true }):wait(steps.DEADLINE)
  steps.say("status beside the editor:\n%s%s", seen.stdout, seen.stderr)
  assert(seen.code == 0, "status cannot be read while an editor has the project open")
  assert(seen.stdout:find("1/1", 1, true), "it does not tell of the task")
end

steps.play(function()
  steps.answer = function(message)
    -- "OK" to the wish for a save, as to everything else.
    return message ~= "" and 1 or 0
  end
  plan()
  local spec = watch_spec()
  local code = run_beside_a_person(spec)
  save_and_prove(spec, code)
  undo(spec, code)
  look_from_outside()
  verify_again(spec)
  steps.stop(code)
end)
