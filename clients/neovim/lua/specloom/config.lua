--- What a person sets: `vim.g.specloom`, a table or a function that returns one, or `setup(opts)`. Nothing needs to be.
--- Refuses values of a wrong kind and unknown keys, names each with its remedy, and goes on with the default.
local M = {}

---@class specloom.Config
---@field autostart boolean
---@field cmd string[]|false
---@field settings table
---@field ask "when-idle"|"never"
---@field notify boolean
---@field icons "unicode"|"ascii"

local function one_of(...)
  local values = { ... }
  return function(value)
    return vim.list_contains(values, value)
  end
end

local function is_table(value)
  return type(value) == "table"
end

local function is_command(value)
  return value == false
    or type(value) == "table"
      and #value > 0
      and vim.iter(value):all(function(word)
        return type(word) == "string" and word ~= ""
      end)
end

--- Default, what it must be in words for people, and whether a value is that.
---@type table<string, { [1]: any, [2]: string, [3]: fun(value: any): boolean }>
M.OPTIONS = {
  autostart = { true, "true or false", one_of(true, false) },
  cmd = { false, 'a list of words such as { "/path/to/specloom", "lsp" }, or false', is_command },
  settings = { {}, "a table with the keys of specloom.toml", is_table },
  ask = { "when-idle", '"when-idle" or "never"', one_of("when-idle", "never") },
  notify = { true, "true or false", one_of(true, false) },
  icons = { "unicode", '"unicode" or "ascii"', one_of("unicode", "ascii") },
}

---@type table
local given = {}
---@type specloom.Config?
local merged
---@type string[]
M.problems = {}

---@return string? problem
local function problem(key, value)
  local option = M.OPTIONS[key]
  if not option then
    local known = vim.tbl_keys(M.OPTIONS)
    table.sort(known)
    return ("%s is no option; remove it (there are %s)"):format(tostring(key), table.concat(known, ", "))
  elseif not option[3](value) then
    local form = "%s must be %s, and is %s; set vim.g.specloom.%s otherwise, or leave it out"
    return form:format(key, option[2], vim.inspect(value, { newline = " ", indent = "" }), key)
  end
end

---@return table
local function of_the_person()
  local from, failure = vim.g.specloom or {}, nil
  if type(from) == "function" then
    local fine, value = pcall(from)
    from, failure = fine and (value or {}), not fine and "a function that failed: " .. tostring(value)
  end
  if type(from) == "table" then
    return from
  end
  local what = failure or "a " .. type(from)
  table.insert(M.problems, "vim.g.specloom must be a table, or a function that returns one, and is " .. what)
  return {}
end

--- Overrides; the plugin works without it.
---@param opts? table
function M.setup(opts)
  if opts ~= nil and type(opts) ~= "table" then
    error("require('specloom').setup wants a table of options, or nothing; see :help specloom-options", 2)
  end
  given, merged = opts or {}, nil
  M.get()
end

--- What counts. Problems are told once.
---@return specloom.Config
function M.get()
  if merged then
    return merged
  end
  M.problems, merged = {}, {}
  for key, option in pairs(M.OPTIONS) do
    merged[key] = vim.deepcopy(option[1])
  end
  for key, value in vim.spairs(vim.tbl_extend("force", of_the_person(), given)) do
    local wrong = problem(key, value)
    if wrong then
      table.insert(M.problems, wrong)
    else
      merged[key] = value
    end
  end
  if #M.problems > 0 then
    require("specloom.tell").error(table.concat(M.problems, "\nSpecloom: "))
  end
  return merged
end

return M
