-- Cases of a story in the order in which they are written, each of which fails alone: none is left out by a list.
local names, cases = {}, {}

local function play()
  local failed = 0
  for _, name in ipairs(names) do
    local fine, message = xpcall(cases[name], debug.traceback)
    failed = failed + (fine and 0 or 1)
    print(("\n%s %s%s"):format(fine and "ok  " or "FAIL", name:gsub("_", " "), fine and "" or "\n" .. message))
  end
  os.exit(failed == 0 and #names > 0 and 0 or 1)
end

return setmetatable({}, {
  __newindex = function(_, name, case)
    names[#names + 1], cases[name] = name, case
  end,
  -- Ends Neovim, with a status that tells whether all held.
  __call = play,
})
