.pragma library

// `ullage setup plasma` puts the path of the program here.
var path = "ullage"
