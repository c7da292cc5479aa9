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

---@class specloom.Option
---@field key string
---@field default any
---@field kinds string a word for people
---@field valid fun(value: any): boolean
---@field desc string

---@param ... string
local function one_of(...)
  local words = { ... }
  return function(value)
    return vim.tbl_contains(words, value)
  end
end

---@param kind type
local function a(kind)
  return function(value)
    return type(value) == kind
  end
end

local function is_command(value)
  if value == false then
    return true
  end
  if type(value) ~= "table" or #value == 0 then
    return false
  end
  for _, word in ipairs(value) do
    if type(word) ~= "string" or word == "" then
      return false
    end
  end
  return true
end

---@type specloom.Option[]
M.OPTIONS = {
  {
    key = "autostart",
    default = true,
    kinds = "true or false",
    valid = a("boolean"),
    desc = "Start in folders with requirements or specs; without it `:Specloom start` does.",
  },
  {
    key = "cmd",
    default = false,
    kinds = 'a list of words such as { "/path/to/specloom", "lsp" }, or false',
    valid = is_command,
    desc = "The server's command line; false: it is looked for (see below).",
  },
  {
    key = "settings",
    default = {},
    kinds = "a table with the keys of specloom.toml",
    valid = a("table"),
    desc = "Settings of the server, with the keys of `specloom.toml`; they beat those of that file.",
  },
  {
    key = "ask",
    default = "when-idle",
    kinds = '"when-idle" or "never"',
    valid = one_of("when-idle", "never"),
    desc = "When questions are put: as soon as you are in Normal mode, or only by `:Specloom approve`.",
  },
  {
    key = "notify",
    default = true,
    kinds = "true or false",
    valid = a("boolean"),
    desc = "Tell when a run ends or pauses, and when a question waits.",
  },
  {
    key = "icons",
    default = "unicode",
    kinds = '"unicode" or "ascii"',
    valid = one_of("unicode", "ascii"),
    desc = "Signs of states in the tree and the statusline.",
  },
}

---@type table
local given = {}
---@type specloom.Config?
local merged
---@type string[]
M.problems = {}

---@param key any
---@param value any
local function problem(key, value)
  for _, option in ipairs(M.OPTIONS) do
    if option.key == key then
      if option.valid(value) then
        return nil
      end
      local form = "%s must be %s, and is %s; set vim.g.specloom.%s otherwise, or leave it out"
      return form:format(key, option.kinds, vim.inspect(value, { newline = " ", indent = "" }), key)
    end
  end
  local known = vim.tbl_map(function(option)
    return option.key
  end, M.OPTIONS)
  return ("%s is no option; remove it (there are %s)"):format(tostring(key), table.concat(known, ", "))
end

---@param from any
---@return table
local function told(from)
  if type(from) == "function" then
    local fine, value = pcall(from)
    if not fine then
      table.insert(M.problems, "vim.g.specloom is a function that failed: " .. tostring(value))
      return {}
    end
    from = value
  end
  if from ~= nil and type(from) ~= "table" then
    table.insert(M.problems, ("vim.g.specloom must be a table or a function, and is a %s"):format(type(from)))
    return {}
  end
  return from or {}
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
  M.problems = {}
  local own = vim.tbl_extend("force", told(vim.g.specloom), given)
  local config = {}
  for _, option in ipairs(M.OPTIONS) do
    config[option.key] = vim.deepcopy(option.default)
  end
  for key, value in vim.spairs(own) do
    local wrong = problem(key, value)
    if wrong then
      table.insert(M.problems, wrong)
    else
      config[key] = value
    end
  end
  merged = config
  if #M.problems > 0 then
    require("specloom.tell").error(table.concat(M.problems, "\nSpecloom: "))
  end
  return merged
end

return M
